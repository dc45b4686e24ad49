/**
 * How a run of the writer ended. Our own numbers begin at 10: below lie the shell's and Node's. `meaning` and
 * `remedy` are what the documentation says of each.
 */
export const EXIT_CODES = {
  ok: {
    code: 0,
    meaning: "Done, or there was nothing to do: already so, or not a change of master.",
    remedy: "Nothing.",
  },
  failed: {
    code: 1,
    meaning: "The writer itself failed in a way that it does not know.",
    remedy: "Report it, with the line that it printed.",
  },
  usage: {
    code: 10,
    meaning: "A command, flag, setting or file that the writer was given is wrong.",
    remedy: "Mend what the message names.",
  },
  "bad-hook-environment": {
    code: 11,
    meaning: "The hook's variables do not name cluster, failed server and successor.",
    remedy:
      "See that Orchestrator runs the hook and that the cluster has an alias. The record is unchanged: if the master has moved, `primacy-writer set`.",
  },
  "unknown-cluster": {
    code: 12,
    meaning: "The cluster has no record (or no layout where one is needed). Nothing was written.",
    remedy: "`primacy-writer bootstrap`, or leave the cluster to others.",
  },
  "refused-stale": {
    code: 13,
    meaning: "The event is older than what the record says. Nothing was written.",
    remedy: "Usually nothing: a later decision stands. `primacy-writer show` says which.",
  },
  "refused-contradictory": {
    code: 14,
    meaning: "The event does not fit the record: another server is the master there. Nothing was written.",
    remedy: "Find out who the master is, then `primacy-writer set`.",
  },
  spooled: {
    code: 15,
    meaning:
      "Consul can't be reached. The event lies on this machine's disk, in order, and will be delivered.",
    remedy: "`primacy-writer flush` when Consul is back; the cluster's next hook does it too.",
  },
  undelivered: {
    code: 16,
    meaning:
      "Consul can't be reached, and the event could not be kept on disk either, or may not be (drain, fence).",
    remedy: "Make room or mend the spool folder. If the master has moved, `primacy-writer set`.",
  },
  denied: {
    code: 17,
    meaning: "Consul refuses the token. Events that may be late are spooled.",
    remedy: "Give the writer its policy, then `primacy-writer flush`.",
  },
  unusable: {
    code: 18,
    meaning:
      "What lies in Consul or in the spool can't be read: another format, or damaged. Nothing was changed.",
    remedy: "Look at it (`consul kv get`), put back the last of `history/`, then `primacy-writer flush`.",
  },
  unreachable: {
    code: 19,
    meaning: "Consul can't be reached, and the command is not one that waits in the spool.",
    remedy: "Try again when Consul is back.",
  },
  declined: {
    code: 20,
    meaning: "Nobody said yes to what was shown. Nothing was written.",
    remedy: "Answer `yes`, or give --yes where nobody sits at a terminal.",
  },
  "orchestrator-unusable": {
    code: 21,
    meaning: "Orchestrator can't be asked, or does not name exactly one healthy, writable master.",
    remedy: "Mend what the message names, or say yourself: --master host:port.",
  },
  incomplete: {
    code: 22,
    meaning:
      "The record is written, but in the time that there was not every proxy has followed, or the old master was not silenced.",
    remedy: "The line names who is missing and why. Look there before anything writes.",
  },
  "not-opened": {
    code: 23,
    meaning:
      "The new master could not be made writable (openedBy: primacy), so the record does not say that it is. The event waits in the spool.",
    remedy: "Mend what the message names, then `primacy-writer flush`.",
  },
  "stays-fenced": {
    code: 24,
    meaning: "A drain or fence is past its deadline, and nothing shows how it ended. Nobody takes writes.",
    remedy: "Find out who the master is, make it writable, then `primacy-writer set`.",
  },
  "not-ok": {
    code: 30,
    meaning:
      "`status` found a cluster that is not ok, or `check` something that takes away from what is promised.",
    remedy: "What `next:` says.",
  },
} as const satisfies Record<string, { code: number; meaning: string; remedy: string }>;

export type ExitName = keyof typeof EXIT_CODES;

export function exitCode(name: ExitName): number {
  return EXIT_CODES[name].code;
}
