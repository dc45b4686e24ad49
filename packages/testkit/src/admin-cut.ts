import { type Server, type Socket, connect, createServer } from "node:net";

/** Where on the way a statement is stopped. */
export type Cut =
  /** It never reaches ProxySQL. */
  | "before"
  /** ProxySQL carries it out, and its answer never comes back. */
  | "after";

/** Asked for every statement on its way to ProxySQL; answering a cut breaks the connection there. */
export type OnStatement = (sql: string) => Cut | null;

/** A TCP proxy before an admin port that can cut a connection at any statement. */
export interface AdminCut {
  readonly port: number;
  /** From now on. */
  onStatement: OnStatement;
  close(): Promise<void>;
}

const COM_QUERY = 0x03;

/** Starts the proxy on 127.0.0.1 before `target`. Without a cut it only passes bytes on. */
export async function startAdminCut(target: { host: string; port: number }): Promise<AdminCut> {
  const sockets = new Set<Socket>();
  const cut: AdminCut = { port: 0, onStatement: () => null, close: async () => undefined };
  const server = createServer((client) => {
    join(client, connect(target.port, target.host), cut, sockets);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return Object.assign(cut, {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => closeAll(server, sockets),
  });
}

function join(client: Socket, upstream: Socket, cut: AdminCut, sockets: Set<Socket>): void {
  let muted = false;
  for (const socket of [client, upstream]) {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      client.destroy();
      upstream.destroy();
    });
  }
  upstream.on("data", (data) => {
    // The answer of the cut statement: carried out, and nobody hears of it.
    if (muted) client.destroy();
    else client.write(data);
  });
  client.on("data", (data) => {
    const sql = statementIn(data);
    const where = sql === null ? null : cut.onStatement(sql);
    if (where === "before") {
      client.destroy();
      return;
    }
    muted = where === "after";
    upstream.write(data);
  });
}

/** A whole text statement in one packet, as a client that waits for each answer sends it. */
function statementIn(data: Buffer): string | null {
  if (data.length < 5 || data[3] !== 0 || data[4] !== COM_QUERY) return null;
  return data.subarray(5).toString("utf8");
}

async function closeAll(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
