import { ask } from "./iproute2.js";

/** Kills what still runs in a namespace and takes it away, its links with it. What is gone already is fine. */
export function removeNamespace(name: string): void {
  for (const pid of processesIn(name)) end(pid);
  try {
    ask(["netns", "delete", name]);
  } catch {
    // It is not there any more.
  }
}

/** Removes the namespaces of test runs that were killed. */
export function removeLeftovers(): void {
  for (const line of ask(["netns", "list"]).split("\n")) {
    const [name = ""] = line.split(" ");
    const maker = /^primacy-(\d+)-\d+$/.exec(name)?.[1];
    if (maker !== undefined && !runs(Number(maker))) removeNamespace(name);
  }
}

function processesIn(name: string): number[] {
  try {
    return ask(["netns", "pids", name])
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
  } catch {
    return [];
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
