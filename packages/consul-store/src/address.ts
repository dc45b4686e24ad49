import { type Parsed, printable } from "@primacy/contract";

/** One agent, taken apart. */
export interface AgentAddress {
  /** For messages and logs; there are no credentials in it. */
  readonly text: string;
  readonly secure: boolean;
  /** Without a slash at the end. For a Unix socket the host stands for nothing. */
  readonly baseUrl: string;
  readonly socketPath: string | null;
}

/**
 * Reads `http://…`, `https://…`, `unix:///…` or `host:port`, as Consul's own client does (api.go, Consul 1.8.7).
 *
 * @param secure CONSUL_HTTP_SSL: then also `http://` means TLS, as it does there
 */
export function parseAgentAddress(text: string, secure = false): Parsed<AgentAddress> {
  const trimmed = text.trim();
  if (trimmed.startsWith("unix://")) return unixSocket(trimmed);
  const withScheme = trimmed.includes("://") ? trimmed : `http://${trimmed}`;
  const url = parseUrl(withScheme);
  if (url === undefined || url.hostname === "")
    return problem(`Consul address "${shown(trimmed)}" is not a URL`);
  if (url.username !== "" || url.password !== "") {
    return problem("a Consul address has a user or password in it: CONSUL_HTTP_AUTH is the place for them");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return problem(`Consul address "${shown(trimmed)}" has an unknown scheme: use http, https or unix`);
  }
  if (url.search !== "" || url.hash !== "") {
    return problem(`Consul address "${shown(trimmed)}" has more than host, port and path`);
  }
  const tls = secure || url.protocol === "https:";
  const baseUrl = `${tls ? "https" : "http"}://${hostAndPort(url, withScheme)}${url.pathname.replace(/\/+$/, "")}`;
  return { ok: true, value: { text: baseUrl, secure: tls, baseUrl, socketPath: null } };
}

function unixSocket(text: string): Parsed<AgentAddress> {
  const socketPath = text.slice("unix://".length);
  if (!socketPath.startsWith("/"))
    return problem(`Consul address "${shown(text)}" is not unix:///absolute/path`);
  return { ok: true, value: { text, secure: false, baseUrl: "http://localhost", socketPath } };
}

/** A port that is written out stays, also the scheme's own: URL drops it, and with CONSUL_HTTP_SSL it would change. */
function hostAndPort(url: URL, text: string): string {
  const port = url.port === "" ? /^[a-z]+:\/\/[^/]*:(\d+)(?:\/|$)/i.exec(text)?.[1] : url.port;
  return port === undefined ? url.hostname : `${url.hostname}:${port}`;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Whatever stands before an `@` could be a password. */
function shown(text: string): string {
  return printable(text.replace(/[^/]*@/g, "…@"));
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text };
}
