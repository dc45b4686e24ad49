import { type Server, createServer } from "node:net";

/**
 * Below the ports that Linux gives to outgoing connections (ip_local_port_range, 32768 and up): a connection of somebody
 * else can't take a port between the look and the server's start. Where a machine has another range, the end of a test run
 * says so.
 */
const FIRST = 10_000;
const COUNT = 22_000;
const TRIES = 200;

/**
 * Whoever listens here has the port of that number, on every address and also while its server is down: the other
 * processes of a test run, and other runs on the same machine, look here first. No server is ever started here.
 */
const RESERVATIONS = "127.77.0.1";

let next = Math.floor(Math.random() * COUNT);

/**
 * A TCP port on which nobody listens on `host` now. It is reserved as long as this process lives, against everybody who
 * asks here for one.
 *
 * @throws when no unused port is found in 200 tries.
 */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    next = (next + 1) % COUNT;
    const port = FIRST + next;
    const reservation = await listen(RESERVATIONS, port);
    if (reservation === "taken") continue;
    const trial = await listen(host, port);
    if (trial !== "taken") {
      await closed(trial);
      return port;
    }
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
export async function startOnFreePorts<Started extends OnPorts>(
  make: () => Promise<Started>,
): Promise<Started> {
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

/** "nowhere": the address is not of this machine. Linux has all of 127.0.0.0/8, others only have 127.0.0.1. */
type Listening = Server | "taken" | "nowhere";

function listen(host: string, port: number): Promise<Listening> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code === "EADDRNOTAVAIL" ? "nowhere" : "taken");
    });
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

async function closed(listening: Listening): Promise<void> {
  if (typeof listening === "string") return;
  await new Promise((resolve) => {
    listening.close(resolve);
  });
}
