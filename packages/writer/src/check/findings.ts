/**
 * What a check may find. A gap takes away from what the layout promises; a note is to be known. `meaning` is what the
 * documentation says of each.
 */
export const CHECKS = {
  "no-takeover-seen": {
    level: "note",
    meaning: "No change of master is in the history: whether the Pre hooks are set up can't be told.",
  },
  "opened-without-fence": {
    level: "gap",
    meaning:
      "The last change of master had no fence before it: no Pre hook came, or it could not reach Consul.",
  },
  "old-master-not-silenced": {
    level: "gap",
    meaning:
      "In the last change of master, the old one was reached and not silenced, or its successor lacked something.",
  },
  "database-account-missing": {
    level: "gap",
    meaning:
      "openedBy is primacy, and the writer here has no login on the database servers: it can't open any.",
  },
  "database-account-unusable": {
    level: "gap",
    meaning: "The login's password can't be read.",
  },
  "server-not-reached": {
    level: "gap",
    meaning: "A candidate does not let the writer in, so it could be neither silenced nor opened.",
  },
  "privileges-missing": {
    level: "gap",
    meaning: "The writer's user lacks privileges on a candidate.",
  },
  "privileges-by-role": {
    level: "note",
    meaning: "The user has roles, so its privileges can't be told.",
  },
  "master-read-only": {
    level: "gap",
    meaning: "The record is open, and its master is read-only.",
  },
  "another-writable": {
    level: "gap",
    meaning: "A candidate that is not the master is writable: whoever bypasses ProxySQL may write there.",
  },
  "no-agent": {
    level: "gap",
    meaning: "No agent leads: a drain or fence whose closing hook is lost stays until a person ends it.",
  },
  "no-proxy": {
    level: "gap",
    meaning: "No live watcher acknowledges the cluster.",
  },
  "proxy-behind": {
    level: "gap",
    meaning: "A live watcher is not where the record is.",
  },
  "spool-waits": {
    level: "gap",
    meaning: "Events wait in this machine's spool.",
  },
} as const satisfies Record<string, { level: "gap" | "note"; meaning: string }>;

export type CheckId = keyof typeof CHECKS;

export interface CheckFinding {
  readonly check: CheckId;
  /** What was seen, in a sentence. */
  readonly says: string;
  /** What a person would do. */
  readonly remedy: string;
}

export function isGap({ check }: CheckFinding): boolean {
  return CHECKS[check].level === "gap";
}
