import { type Server, createServer } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as Ports from "../src/ports.js";
import { freePort, startOnFreePorts } from "../src/ports.js";

const listening: Server[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const server of listening.splice(0)) server.close();
});

/** A server on `port`, as the starters make them. */
class OnPort {
  closed = false;
  readonly #server = createServer();

  constructor(readonly port: number) {}

  start(): Promise<void> {
    listening.push(this.#server);
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject).listen({ host: "127.0.0.1", port: this.port }, resolve);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#server.close();
  }
}

/** Knows nothing of what others were given. */
async function ofAnotherProcess(): Promise<typeof Ports> {
  vi.resetModules();
  return import("../src/ports.js");
}

/** A port that somebody else has taken since it was looked at. */
async function takenPort(): Promise<number> {
  const port = await freePort();
  await new OnPort(port).start();
  return port;
}

describe("a free port", () => {
  test("is reserved for the process that got it, whether or not its server runs", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const one = await (await ofAnotherProcess()).freePorts(20);
    const another = await (await ofAnotherProcess()).freePorts(20);
    expect(new Set([...one, ...another]).size).toBe(40);
  });

  test("is one on which nobody listens", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.25);
    const first = await (await ofAnotherProcess()).freePort();
    await new OnPort(first + 1).start();
    expect(await (await ofAnotherProcess()).freePort()).toBe(first + 2);
  });
});

describe("a server on ports of its own", () => {
  test("is made again, on other ports, where somebody took one before it did", async () => {
    const made = [new OnPort(await takenPort()), new OnPort(await takenPort()), new OnPort(await freePort())];
    const waiting = [...made];
    const server = await startOnFreePorts(async () => waiting.shift() as OnPort);
    expect(server).toBe(made[2]);
    expect(made.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  test("is not tried for ever", async () => {
    const taken = await takenPort();
    let made = 0;
    const starting = startOnFreePorts(async () => {
      made++;
      return new OnPort(taken);
    });
    await expect(starting).rejects.toThrow("EADDRINUSE");
    expect(made).toBe(3);
  });

  test("that fails for another reason is closed, and not tried again", async () => {
    let closed = 0;
    const broken = {
      start: () => Promise.reject(new Error("consul ended: exit code 1\nno such option")),
      close: async () => void closed++,
    };
    await expect(startOnFreePorts(async () => broken)).rejects.toThrow("no such option");
    expect(closed).toBe(1);
  });
});
