import { keyName } from "@primacy/contract";
import { type Ending, commitEnding } from "../ending.js";
import type { ExitName } from "../exit-codes.js";
import { type Run, commitContext, usage } from "../run.js";
import { type Delivered, type DeliveryReport, deliverSpooled } from "../spool/deliver.js";
import { Spool } from "../spool/folder.js";
import { lockSpool } from "../spool/lock.js";
import { errorText } from "../errors.js";

export async function flushCommand(run: Run): Promise<Ending> {
  const only = run.flags["cluster"];
  const cluster = only === undefined ? undefined : keyName(only, "cluster");
  if (cluster?.ok === false) return usage(cluster.problem);
  const spool = new Spool(run.settings.spool.folder, run.settings.spool.limit);
  try {
    if ((await spool.names()).length === 0) return { exit: "ok", line: `nothing waits in ${spool.folder}` };
  } catch (error) {
    return usage(`the spool ${spool.folder} can't be read: ${errorText(error)}`);
  }
  const lock = await lockSpool(spool.folder, run.deadline - run.world.elapsed(), run.world);
  if (lock === undefined) return { exit: "spooled", line: `another delivery holds ${spool.folder}` };
  try {
    const report = await deliverSpooled(spool, cluster?.value, run.deadline, commitContext(run, false));
    return flushEnding(report, spool.folder);
  } finally {
    await lock.release();
  }
}

/** What the operator must see to first gives the exit code. */
const BY_WEIGHT: readonly ExitName[] = [
  "denied",
  "unreachable",
  "unusable",
  "not-opened",
  "unknown-cluster",
  "refused-contradictory",
  "refused-stale",
];

function flushEnding(report: DeliveryReport, folder: string): Ending {
  const endings = report.delivered.map((one) => ({
    one,
    ending: commitEnding(one.entry.cluster, one.outcome),
  }));
  const exits = new Set<ExitName>(endings.map(({ ending }) => ending.exit));
  if (report.unreadable.length > 0) exits.add("unusable");
  const heaviest = BY_WEIGHT.find((exit) => exits.has(exit)) ?? "ok";
  const done = endings.filter(({ ending }) => ending.exit === "ok").length;
  const refused = endings.filter(({ one, ending }) => ending.exit !== "ok" && !one.kept).length;
  return {
    exit: heaviest === "unreachable" ? "spooled" : heaviest,
    line:
      `${String(done)} delivered, ${String(refused)} refused, ${String(report.unreadable.length)} unreadable, ` +
      `${String(report.waiting)} still waiting in ${folder}`,
    notes: [
      ...endings.map(({ one, ending }) => `${one.name}: ${ending.line}${whereNow(one)}`),
      ...report.unreadable.map(
        (file) => `${file.name}: ${file.problem}${file.moved ? " (moved to unreadable/)" : ""}`,
      ),
    ],
  };
}

function whereNow(one: Delivered): string {
  if (one.kept) return " (still waiting)";
  if (one.diskProblem !== undefined) return ` (its file could not be cleared away: ${one.diskProblem})`;
  return one.outcome.kind === "refused" ? " (moved to refused/)" : "";
}
