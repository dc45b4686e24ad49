import { type ClusterSnapshot, ConsulError, type WriteOutcome } from "@primacy/consul-store";
import type { ClusterEvent } from "@primacy/contract";
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
