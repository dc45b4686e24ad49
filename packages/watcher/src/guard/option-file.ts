/** What a `mysql` option file says of a connection, as far as the guard needs it. */
export interface ClientOptions {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly socket: string | null;
}

/** ProxySQL's admin port, where the file names none. */
const ADMIN_PORT = 6032;

/** The section `[client]` of an option file of the `mysql` client. Pure. Null where it names no user or no password. */
export function readClientOptions(text: string): ClientOptions | null {
  const values = new Map<string, string>();
  let section = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const header = /^\[([^\]]*)\]$/.exec(line);
    if (header !== null) section = header[1] ?? "";
    const setting = /^([A-Za-z_-]+)\s*=\s*(.*)$/.exec(line);
    if (section === "client" && setting !== null) values.set(setting[1] ?? "", unquoted(setting[2] ?? ""));
  }
  const user = values.get("user") ?? "";
  const password = values.get("password") ?? "";
  if (user === "" || password === "") return null;
  return {
    user,
    password,
    host: values.get("host") ?? "127.0.0.1",
    port: Number(values.get("port") ?? ADMIN_PORT),
    socket: values.get("socket") ?? null,
  };
}

function unquoted(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted === null ? value : (quoted[2] ?? "");
}
