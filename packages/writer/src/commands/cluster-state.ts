import { type ClusterSnapshot, ConsulError, type WriteOutcome } from "@primacy/consul-store";
import type { ClusterEvent, Layout, MasterRecord } from "@primacy/contract";
import { commitEvent } from "../commit.js";
import { type Ending, commitEnding } from "../ending.js";
import { type Run, commitContext, freshDeadline } from "../run.js";

/** One consistent read, or the ending that says why there is none. */
export async function readClusterState(run: Run, cluster: string): Promise<ClusterSnapshot | Ending> {
  try {
    return await run.store.readCluster(cluster, { deadlineMs: run.settings.deadlineMs, signal: run.signal });
  } catch (error) {
    return consulEnding(cluster, error);
  }
}

/** Record and layout of a cluster that has both, or the ending that says why they can't be used. */
export async function readUsableCluster(
  run: Run,
  cluster: string,
): Promise<{ readonly record: MasterRecord; readonly layout: Layout } | Ending> {
  const snapshot = await readClusterState(run, cluster);
  if (isEnding(snapshot)) return snapshot;
  const { record, layout } = snapshot;
  for (const document of [record, layout]) {
    if (document.kind === "unusable") return { exit: "unusable", line: `${cluster}: ${document.problem}` };
  }
  if (record.kind === "valid" && layout.kind === "valid")
    return { record: record.value, layout: layout.value };
  return {
    exit: "unknown-cluster",
    line: `${cluster} has no record, or no layout; primacy-writer show lists the clusters`,
  };
}

export function isEnding(value: object): value is Ending {
  return "exit" in value;
}

/** What a person decided. */
export async function commitByPerson(run: Run, cluster: string, event: ClusterEvent): Promise<Ending> {
  const outcome = await commitEvent(cluster, event, freshDeadline(run), commitContext(run, true));
  return commitEnding(cluster, outcome);
}

/** Who decides at a command line: no recovery of Orchestrator's. */
export const BY_OPERATOR = { kind: "operator", failureType: "", recoveryUid: "", command: "" } as const;

/** @throws what is not Consul's fault. */
export function consulEnding(cluster: string, error: unknown): Ending {
  if (!(error instanceof ConsulError)) throw error;
  const kind = error.code === "CONSUL_DENIED" ? "denied" : "unreachable";
  return commitEnding(cluster, { kind, problem: error.message });
}

/** The ending of a write that was no record; undefined where it was committed. */
export function writeEnding(cluster: string, what: string, written: WriteOutcome): Ending | undefined {
  switch (written.outcome) {
    case "committed":
      return undefined;
    case "lost-race":
      return {
        exit: "refused-stale",
        line: `${cluster}: somebody else has just changed the ${what}: look again`,
      };
    case "not-written":
      return consulEnding(cluster, written.cause);
    case "unknown":
      return {
        exit: "unreachable",
        line: `${cluster}: no answer, so the ${what} may or may not have been written: look again (${written.cause.message})`,
      };
  }
}
