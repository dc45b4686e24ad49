import {
  type ClusterEvent,
  type Layout,
  type MasterRecord,
  type Server,
  formatServer,
  layoutServer,
  parseServer,
} from "@primacy/contract";
import { masterWarnings } from "../commit.js";
import { describeRecord } from "../describe.js";
import type { Ending } from "../ending.js";
import { type Run, clusterWord, usage } from "../run.js";
import { isoNow } from "../world.js";
import { BY_OPERATOR, commitByPerson, isEnding, readClusterState } from "./cluster-state.js";
import { confirm } from "./confirm.js";

/** An operator names the master, against whatever the record says. */
export function setCommand(run: Run): Promise<Ending> {
  return operatorCommand(run, "master", (server, seen) => ({
    question: `Make ${formatServer(server)} the master?`,
    event: { kind: "set", master: server, ...seen, cause: BY_OPERATOR, beganAt: isoNow(run.world) },
  }));
}

/** An operator lets a former master out of quarantine. */
export function readmitCommand(run: Run): Promise<Ending> {
  return operatorCommand(run, "server", (server, seen) => ({
    question: `Let ${formatServer(server)} read again?`,
    event: { kind: "readmit", server, ...seen, cause: BY_OPERATOR, beganAt: isoNow(run.world) },
  }));
}

type Proposal = (
  server: Server,
  seen: { readonly seenGeneration: number },
) => { readonly question: string; readonly event: ClusterEvent };

async function operatorCommand(run: Run, flag: "master" | "server", propose: Proposal): Promise<Ending> {
  const cluster = clusterWord(run);
  if (!cluster.ok) return usage(cluster.problem);
  const word = run.flags[flag];
  if (word === undefined) return usage(`which server? --${flag} host:port`);
  const server = parseServer(word, 3306);
  if (!server.ok) return usage(`--${flag}: ${server.problem}`);
  const snapshot = await readClusterState(run, cluster.value);
  if (isEnding(snapshot)) return snapshot;
  const { record, layout } = snapshot;
  if (record.kind === "unusable") return { exit: "unusable", line: `${cluster.value}: ${record.problem}` };
  if (record.kind === "absent") {
    return { exit: "unknown-cluster", line: `${cluster.value} has no record yet: bootstrap it first` };
  }
  const seen = seenGeneration(run, record.value);
  if (isEnding(seen)) return seen;
  const { question, event } = propose(server.value, seen);
  if (!run.switches.has("yes")) run.terminal.out(describeRecord(record.value));
  if (flag === "master" && layout.kind === "valid") {
    const refused = refusedAsMaster(run, { ...record.value, master: server.value }, layout.value);
    if (refused !== undefined) return refused;
  }
  const declined = await confirm(run, question);
  return declined ?? (await commitByPerson(run, cluster.value, event));
}

/** A server that the layout does not name is a typing error, and every proxy would route to it. */
function refusedAsMaster(run: Run, record: MasterRecord, layout: Layout): Ending | undefined {
  const { cluster, master } = record;
  if (layoutServer(layout, master) === undefined) {
    return usage(
      `${formatServer(master)} is not in the layout of ${cluster}; if it is the right one, name it there first: ` +
        "primacy-writer layout apply",
    );
  }
  const [warning] = masterWarnings(record, layout);
  if (warning !== undefined && !run.switches.has("yes"))
    run.terminal.err(run.terminal.paint("yellow", `primacy: warning: ${warning}`, "err"));
  return undefined;
}

/**
 * Which generation did the operator look at? The one that is being shown, or, from a script, the one that the script
 * names: so that nobody overrules a failover that they haven't seen.
 */
function seenGeneration(run: Run, record: MasterRecord): { readonly seenGeneration: number } | Ending {
  const said = run.flags["generation"];
  if (said === undefined) {
    if (run.switches.has("yes")) return usage("--yes needs --generation: which one have you seen?");
    return { seenGeneration: record.generation };
  }
  if (!/^[1-9]\d{0,14}$/.test(said)) return usage(`--generation: "${said}" is not a generation`);
  return { seenGeneration: Number(said) };
}
