import { type Members, formatServer } from "@primacy/contract";
import type { RecordDecision } from "./decide.js";
import { type Finding, weightOf } from "./rules.js";

/** Rules that speak of Orchestrator, not of the servers: the members document has its own place for them. */
const IS_SILENCE: ReadonlySet<string> = new Set([
  "orchestrator-away",
  "nothing-known",
  "nothing-checked",
  "nobody-reachable",
]);

/** Under which a finding's beginning is noted. */
export function findingKey(finding: Finding): string {
  return `finding ${finding.rule}`;
}

/**
 * The first finding that people must look at; null where there is none. One that the agent deals with itself is over
 * before it has lasted, unless the record can't be written. Pure.
 */
export function disagreementOf({ findings }: Pick<RecordDecision, "findings">): Finding | null {
  return findings.find((one) => weightOf(one) !== "quiet" && !IS_SILENCE.has(one.rule)) ?? null;
}

/** The servers of a document in one line, for the log. */
export function describeMembers(members: Members): string {
  const servers = members.servers.map((one) => {
    const what =
      one.downtime !== null
        ? "downtimed"
        : !one.reachable
          ? "unreachable"
          : one.replicating
            ? "replicating"
            : "";
    return `${formatServer(one)} ${what}`.trim();
  });
  return servers.join(", ");
}
