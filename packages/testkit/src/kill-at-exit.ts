import type { ChildProcess } from "node:child_process";

const alive = new Set<ChildProcess>();
let armed = false;

/**
 * Kills `child` when this process ends, however it ends (SIGKILL of this process excepted).
 *
 * @returns a function that takes the child off the list, for when it has ended by itself.
 */
export function killWithThisProcess(child: ChildProcess): () => void {
  alive.add(child);
  if (!armed) {
    armed = true;
    arm();
  }
  return () => void alive.delete(child);
}

function arm(): void {
  process.once("exit", killAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      killAll();
      // Node does not end by itself once somebody listens; without another listener, end as the signal would have.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}

function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
  alive.clear();
}
