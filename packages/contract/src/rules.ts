/**
 * Every rule of `transition`. Its id stands in the record, in the history, in logs and in the writer's last line;
 * docs/rules.md says when each holds and what it does, and a test compares the two.
 */
export const RULE_IDS = [
  "bootstrap-first-record",
  "bootstrap-again",
  "bootstrap-refused-record-exists",
  "no-record",
  "same-server",
  "open-new-master",
  "open-already",
  "open-refused-stale",
  "open-refused-contradictory",
  "drain-begins",
  "drain-already",
  "drain-refused-stale",
  "drain-refused-contradictory",
  "fence-begins",
  "fence-already",
  "fence-refused-stale",
  "fence-refused-contradictory",
  "abort-reopens",
  "abort-already",
  "abort-refused-stale",
  "abort-refused-contradictory",
  "operator-set",
  "operator-readmits",
  "operator-readmits-already",
  "operator-refused-generation-moved",
  "operator-refused-contradictory",
] as const;

export type RuleId = (typeof RULE_IDS)[number];
