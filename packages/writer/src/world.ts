import { createHash, randomUUID } from "node:crypto";

/** Time, chance and names: what decisions are given and never take themselves. */
export interface World {
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since this process began; never goes back. Deadlines are on this clock. */
  readonly elapsed: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly newId: () => string;
  /** SHA-256 of a text's UTF-8 bytes, lower-case hex. */
  readonly sha256: (text: string) => string;
  /** This process's id. */
  readonly pid: number;
  /** Does a process of that id live on this machine? */
  readonly isAlive: (pid: number) => boolean;
}

export const realWorld: World = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  pause: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    }),
  random: () => Math.random(),
  newId: () => randomUUID(),
  sha256: (text) => createHash("sha256").update(text, "utf8").digest("hex"),
  pid: process.pid,
  isAlive,
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

export function isoNow(world: Pick<World, "now">): string {
  return new Date(world.now()).toISOString();
}
