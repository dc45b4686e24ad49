import { createServer } from "node:net";

/**
 * Below the ports that Linux gives to outgoing connections (ip_local_port_range, 32768 and up): a connection of somebody
 * else can't take a port between the look and the server's start. Where a machine has another range, the end of a test run
 * says so.
 */
const FIRST = 10_000;
const SLICE = 2000;
const SLICES = 11;
const TRIES = 200;

const handedOut = new Set<number>();
let next = Math.floor(Math.random() * SLICE);

/**
 * A TCP port on which nobody listens on `host` now. Each port is handed out once per process, and test files that run at
 * the same time take theirs from different slices: two servers that are started at once never get the same one.
 *
 * @throws when no unused port is found in 200 tries.
 */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const slice = Number(process.env["VITEST_POOL_ID"] ?? process.pid) % SLICES;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    next = (next + 1) % SLICE;
    const port = FIRST + slice * SLICE + next;
    if (handedOut.has(port) || !(await isFree(host, port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`no free port on ${host} in ${TRIES} tries`);
}

/** `count` ports as by {@link freePort}. */
export async function freePorts(count: number, host = "127.0.0.1"): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort(host));
  return ports;
}

/** How often a server is tried on other ports. */
const ATTEMPTS = 3;

/** Did a server not start because somebody else has its port? Consul, MariaDB, MySQL and Node say it alike, in logs and errors. */
export function saysPortIsTaken(error: unknown): boolean {
  return /address already in use/i.test(String(error));
}

/** A server that `make` has settled on ports of its own. */
interface OnPorts {
  start(): Promise<void>;
  close(): Promise<unknown>;
}

/**
 * Makes a server and starts it; closes it where it does not start. A look at a port is no promise: where somebody else on
 * this machine took it before the server did, another one is made, on other ports, twice at most.
 *
 * @throws what `start` threw.
 */
export async function startOnFreePorts<Server extends OnPorts>(make: () => Promise<Server>): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = await make();
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      if (attempt === ATTEMPTS || !saysPortIsTaken(error)) throw error;
    }
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
