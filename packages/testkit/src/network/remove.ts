import { MAX_LINKS } from "./link.js";
import { ask } from "./iproute2.js";

/** Who made a namespace, and its number among the maker's. */
interface Made {
  readonly pid: number;
  readonly count: number;
}

export function namespaceName({ pid, count }: Made): string {
  return `primacy-${pid}-${count}`;
}

/** The end of a link that is where the tests run. At most 15 characters. */
export function interfaceName({ pid, count }: Made, index: number): string {
  return `pr${pid}.${count}.${index}`;
}

/** Kills what still runs in a namespace, and takes it and its links away. What is gone already is fine. */
export function removeNamespace(made: Made): void {
  const name = namespaceName(made);
  for (const pid of processesIn(name)) end(pid);
  // One by one: the kernel keeps a namespace, and its ends of the links, until its last socket has timed out.
  for (let index = 0; index < MAX_LINKS; index += 1) attempt("link", "delete", interfaceName(made, index));
  attempt("netns", "delete", name);
}

function attempt(...args: readonly string[]): void {
  try {
    ask(args);
  } catch {
    // It is not there any more.
  }
}

/** Removes the namespaces of test runs that were killed. */
export function removeLeftovers(): void {
  for (const line of ask(["netns", "list"]).split("\n")) {
    const [name = ""] = line.split(" ");
    const [, pid, count] = /^primacy-(\d+)-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !runs(Number(pid))) removeNamespace({ pid: Number(pid), count: Number(count) });
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
