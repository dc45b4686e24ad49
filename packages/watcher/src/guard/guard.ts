import { readFileSync } from "node:fs";
import type { Admin } from "../proxysql/admin.js";
import { EXIT_CODES, type ExitCode } from "../exit-codes.js";
import { hostgroupsToFence, readLeaseEntries } from "../lease-entries.js";
import { readClientOptions } from "./option-file.js";

const USAGE =
  "usage: primacy-watcher guard <lease file> <mysql option file> <writer hostgroups, such as 10,30>";

/**
 * What ProxySQL's scheduler runs once a second where a cluster asks for a lease: the same as `primacy-guard.sh`, for
 * hosts with node and without the `mysql` client. Fences the writer hostgroups whose lease has run out.
 */
export async function runGuard(
  argv: readonly string[],
  say: (text: string) => void,
  nowMs: () => number,
): Promise<ExitCode> {
  const [leaseFile, optionFile, list = ""] = argv;
  const hostgroups = list.split(",").map(Number);
  const bad =
    argv.length !== 3 || !/^\d+(,\d+)*$/.test(list) || hostgroups.some((one) => !Number.isInteger(one));
  if (leaseFile === undefined || optionFile === undefined || bad) {
    say(USAGE);
    return EXIT_CODES.BAD_OPTIONS;
  }
  const over = (): readonly number[] => withoutLease(leaseFile, hostgroups, nowMs());
  if (over().length > 0) return await fence(optionFile, over, say, nowMs());
  if (!mustShow(nowMs())) return EXIT_CODES.OK;
  return await onAdmin(
    optionFile,
    say,
    "could not show that it gets through to the admin port; if it had to fence, it might fail",
    show,
  );
}

/** In so many seconds of so many it shows its watcher that it would get through: nearly every run has nothing to do. */
const REPORT_FOR_SECONDS = 2;
const REPORT_EVERY_SECONDS = 10;

function mustShow(nowMs: number): boolean {
  return Math.floor(nowMs / 1000) % REPORT_EVERY_SECONDS < REPORT_FOR_SECONDS;
}

async function show(admin: Admin): Promise<void> {
  const { REPORT } = await import("../proxysql/guard-report.js");
  await admin.execute(REPORT);
}

async function fence(
  optionFile: string,
  over: () => readonly number[],
  say: (text: string) => void,
  nowMs: number,
): Promise<ExitCode> {
  const names = over().join(",");
  const problem = `hostgroups ${names} have no lease and could not be fenced`;
  return await onAdmin(optionFile, say, problem, async (admin) => {
    const { fenceNow } = await import("../proxysql/fence.js");
    const fenced = await fenceNow(admin, over(), () => over().length > 0);
    if (fenced) say(`primacy-guard: no lease, so nobody takes writes in hostgroups ${names}`);
    else if (mustShow(nowMs)) await show(admin);
  });
}

async function onAdmin(
  optionFile: string,
  say: (text: string) => void,
  problem: string,
  work: (admin: Admin) => Promise<void>,
): Promise<ExitCode> {
  const options = readClientOptions(readFileSync(optionFile, "utf8"));
  if (options === null) {
    say(`primacy-guard: ${optionFile} has no user and password below [client]`);
    return EXIT_CODES.BAD_OPTIONS;
  }
  // Loaded only where it is needed: nearly every run ends before.
  const { Admin } = await import("../proxysql/admin.js");
  const { socket, ...rest } = options;
  const admin = new Admin({ ...rest, socketPath: socket, tls: false, timeoutMs: 2000 });
  try {
    await work(admin);
    return EXIT_CODES.OK;
  } catch (error) {
    say(`primacy-guard: ${problem}: ${String(error)}`);
    return EXIT_CODES.FAILED;
  } finally {
    admin.close();
  }
}

/** A file that is gone or can't be read is no lease. */
function withoutLease(path: string, hostgroups: readonly number[], nowMs: number): readonly number[] {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // Nothing to read.
  }
  return hostgroupsToFence(readLeaseEntries(text), hostgroups, Math.floor(nowMs / 1000));
}
