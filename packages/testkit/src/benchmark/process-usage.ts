import { readFileSync } from "node:fs";

/** Resident memory of a process, MiB. Linux. */
export function residentMebibytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** A tick of /proc's clock on every Linux that Node runs on (USER_HZ). Seconds. */
const TICK = 1 / 100;

/** Processor time that a process has used so far, seconds. Linux. */
export function processorSeconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  // The name, in parentheses, may contain anything; utime and stime are the 12th and 13th fields after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}
