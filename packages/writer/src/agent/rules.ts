/**
 * Every rule by which the agent decides. The id stands in the log, in the metrics and in the members document;
 * docs/agent.md lists them, and a test compares the two.
 *
 * `weight`: `quiet` is as it should be or only takes its time; `notice` is for people to look at in daylight; `alarm`
 * is for whoever is on call.
 */
export const RULES = {
  "in-agreement": {
    weight: "quiet",
    meaning: "Orchestrator and the record name the same master.",
  },
  "nothing-known": {
    weight: "alarm",
    meaning: "Orchestrator knows none of the layout's servers: everything stays as it was last seen.",
  },
  "nothing-checked": {
    weight: "alarm",
    meaning: "Orchestrator has checked none of the servers lately: everything stays as it was last seen.",
  },
  "nobody-reachable": {
    weight: "alarm",
    meaning:
      "Orchestrator reaches none of the servers; it may itself be cut off: everything stays as it was last seen.",
  },
  "orchestrator-away": {
    weight: "alarm",
    meaning:
      "No Orchestrator answers, none of them leads, or the answers are unusable: everything stays as it was last seen.",
  },
  "alias-unknown": {
    weight: "notice",
    meaning:
      "Orchestrator knows the servers, and no cluster of this alias. Hooks will not find the cluster either.",
  },
  "alias-elsewhere": {
    weight: "notice",
    meaning: "Orchestrator's alias leads to a cluster in which the record's master is not.",
  },
  "master-unreachable": {
    weight: "alarm",
    meaning: "Orchestrator can't reach the record's master, and nobody else is a valid one.",
  },
  "master-read-only": {
    weight: "alarm",
    meaning:
      "The record's master is read-only; a failed graceful takeover leaves it so (openark/orchestrator#1457).",
  },
  "master-replicates": {
    weight: "alarm",
    meaning: "The record's master replicates from another server, and nobody else is a valid master.",
  },
  "former-master-writable": {
    weight: "alarm",
    meaning:
      "A former master is writable again beside the record's. It is never copied (openark/orchestrator#1462).",
  },
  "second-writable-master": {
    weight: "alarm",
    meaning:
      "Another server is writable beside the record's master, and replicates from nobody or is its co-master.",
  },
  "former-master-claims": {
    weight: "alarm",
    meaning: "The one writable server is a former master that nobody promoted. It is never copied.",
  },
  "unknown-server-claims": {
    weight: "alarm",
    meaning: "The one writable server of Orchestrator's cluster is not in the layout.",
  },
  "no-candidate-claims": {
    weight: "alarm",
    meaning: "The one writable server is no candidate in the layout.",
  },
  "several-claim": {
    weight: "alarm",
    meaning: "The record's master is no valid one, and several others are.",
  },
  "downtimed-server-claims": {
    weight: "alarm",
    meaning: "The one writable server is downtimed, so Orchestrator itself would not promote it.",
  },
  "another-master": {
    weight: "alarm",
    meaning: "Orchestrator names another valid master than the record does.",
  },
  "replay-recovery": {
    weight: "notice",
    meaning:
      "A recovery's hook has not come: its change of master is written from Orchestrator's audit, by its UID.",
  },
  "replay-waits": {
    weight: "quiet",
    meaning: "A recovery has just ended; its hook has its time.",
  },
  "replay-unconfirmed": {
    weight: "alarm",
    meaning:
      "A recovery's hook has not come, and its successor is not the one writable root now: nothing is written.",
  },
  "recovery-running": {
    weight: "quiet",
    meaning: "Orchestrator is at it: nothing is concluded before its recovery has ended, or been given up.",
  },
  "repair-master": {
    weight: "notice",
    meaning:
      "The record is set to the master that Orchestrator names, for the policy is repair and every condition held.",
  },
  "repair-waits": {
    weight: "quiet",
    meaning: "Every condition of a repair holds, and not yet for long enough.",
  },
  "repair-no-predecessor": {
    weight: "alarm",
    meaning:
      "Nothing shows that the other master followed the record's: neither a recovery nor the replication.",
  },
  "deadline-aborts": {
    weight: "notice",
    meaning:
      "The deadline of a drain or fence is over and the master is alive and writable: it is opened again.",
  },
  "deadline-waits": {
    weight: "quiet",
    meaning: "The deadline of a drain or fence is over, and Orchestrator has not checked the master since.",
  },
  "deadline-shouts": {
    weight: "alarm",
    meaning:
      "The deadline of a drain or fence is over and no server is known to be the master: nobody takes writes.",
  },
} as const satisfies Record<string, { weight: Weight; meaning: string }>;

export type Weight = "quiet" | "notice" | "alarm";
export type AgentRule = keyof typeof RULES;

/** What a rule found: the rule's id and one sentence with names in it. */
export interface Finding {
  readonly rule: AgentRule;
  readonly reason: string;
}

export function weightOf(finding: Finding): Weight {
  return RULES[finding.rule].weight;
}
