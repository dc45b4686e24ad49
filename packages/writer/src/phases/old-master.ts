import { type MasterRecord, type Server, formatServer } from "@primacy/contract";
import { type Silence, silenceOldMaster } from "../old-master/silence.js";
import { errorText } from "../errors.js";
import { type DatabaseMeans, databaseContext } from "./databases.js";
import { type Evidence, keepEvidence } from "./evidence.js";

/** What a run goes to the old master with. */
export interface OldMasterMeans extends DatabaseMeans {
  /** Where what was done is kept for the next hook. */
  readonly spoolFolder: string;
}

/** What became of it, for people and for the exit code. */
export interface OldMasterReport {
  /** Undefined: nobody went there. */
  readonly line: string | undefined;
  readonly notes: readonly string[];
  /**
   * - `silent`: it takes no writes, nobody who could is left, and the successor is not known to lack anything.
   * - `loud`: it was reached, and one of that is not so.
   * - `unreachable`, or `not-asked`: without an account.
   */
  readonly state: "silent" | "loud" | "unreachable" | "not-asked";
  readonly evidence: Pick<Evidence, "wasWritable" | "proof"> | undefined;
  readonly fields: Readonly<Record<string, string | number>>;
}

const NOT_ASKED: OldMasterReport = {
  line: undefined,
  notes: [],
  state: "not-asked",
  evidence: undefined,
  fields: {},
};

/** A dead machine must not hold its failover. Milliseconds. */
const DEAD_AFTER_MS = 1000;

/** Who is to be silenced, and for whom. */
export interface Visit {
  readonly outgoing: Server;
  readonly successor: Server | null;
  readonly record: MasterRecord;
  /** Nothing has failed: then the old master should be there to be asked. */
  readonly planned: boolean;
}

/** Goes to the old master and silences it. Never rejects for what a database or a disk does. */
export async function visitOldMaster(
  { outgoing, successor, record, planned }: Visit,
  means: OldMasterMeans,
): Promise<OldMasterReport> {
  const { settings, world, spoolFolder } = means;
  const context = await databaseContext(means);
  if (!context.ok) return { ...NOT_ASKED, notes: [context.problem], state: "unreachable" };
  if (settings === undefined || context.value === undefined) return NOT_ASKED;
  const { keepUsers, deadlineMs } = settings;
  const connectMs = planned ? undefined : DEAD_AFTER_MS;
  const order = { outgoing, successor, keepUsers, connectMs, deadline: world.elapsed() + deadlineMs };
  const silence = await silenceOldMaster(order, context.value);
  if (silence.kind === "unreachable") return unreachable(outgoing, silence);
  const kept = await keep(spoolFolder, record, silence);
  return done(outgoing, successor, silence, kept);
}

function unreachable(
  outgoing: Server,
  { problem }: Extract<Silence, { kind: "unreachable" }>,
): OldMasterReport {
  const line = `the old master ${formatServer(outgoing)} can't be reached`;
  return { ...NOT_ASKED, line, notes: [problem], state: "unreachable", fields: { oldMaster: "unreachable" } };
}

function done(
  outgoing: Server,
  successor: Server | null,
  silence: Extract<Silence, { kind: "done" }>,
  diskProblem: string | undefined,
): OldMasterReport {
  const { proof, wasWritable, notes } = silence;
  const silent = proof.readOnly && proof.left === 0 && proof.caughtUp !== false;
  const words = [
    proof.readOnly ? "is read-only" : "IS NOT READ-ONLY",
    `${String(proof.killed)} connections killed`,
    `${String(proof.left)} left`,
  ];
  if (successor !== null && proof.caughtUp !== null) {
    words.push(`${formatServer(successor)} has ${proof.caughtUp ? "" : "NOT "}executed everything`);
  }
  return {
    line: `the old master ${formatServer(outgoing)} ${words.join(", ")} (${String(proof.tookMs)} ms)`,
    notes: diskProblem === undefined ? notes : [...notes, diskProblem],
    state: silent ? "silent" : "loud",
    evidence: { proof, wasWritable },
    fields: {
      oldMaster: silent ? "silent" : "loud",
      oldMasterKilled: proof.killed,
      oldMasterLeft: proof.left,
      oldMasterMs: proof.tookMs,
    },
  };
}

async function keep(
  spoolFolder: string,
  record: MasterRecord,
  silence: Extract<Silence, { kind: "done" }>,
): Promise<string | undefined> {
  try {
    await keepEvidence(spoolFolder, record, silence);
    return undefined;
  } catch (error) {
    return `what was done on the old master could not be kept on disk: ${errorText(error)}`;
  }
}
