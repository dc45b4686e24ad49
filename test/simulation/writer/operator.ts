import type { EventOf, MasterRecord, Server } from "@primacy/contract";
import { commit, read } from "./commit.js";
import type { WriterProcess } from "./opening.js";

const AGAIN_MS = 1000;
const COMMIT_MS = 5000;
const OPERATOR = { kind: "operator", failureType: "", recoveryUid: "", command: "" } as const;

/**
 * An operator who has called a takeover off says that the master stays, until the record says so. `stays`: by this word;
 * otherwise somebody else has opened a master before.
 */
export function insist(parts: WriterProcess, master: Server, done: (stays: boolean) => void): void {
  const { process } = parts;
  const again = (): void => {
    process.after(AGAIN_MS, () => {
      insist(parts, master, done);
    });
  };
  read(parts, (snapshot) => {
    if (snapshot?.record.kind !== "valid") again();
    else if (snapshot.record.value.phase === "open") done(false);
    else {
      commit(parts, { event: setEvent(snapshot.record.value, master), deadlineMs: COMMIT_MS }, (outcome) => {
        if (outcome.kind === "applied") done(true);
        else again();
      });
    }
  });
}

/** An operator lets former masters back in, one after the other. */
export function readmit(parts: WriterProcess, done: () => void): void {
  read(parts, (snapshot) => {
    const record = snapshot?.record.kind === "valid" ? snapshot.record.value : null;
    const server = record?.quarantined[0];
    if (record === null || server === undefined) {
      done();
      return;
    }
    const event: EventOf<"readmit"> = {
      kind: "readmit",
      server,
      seenGeneration: record.generation,
      cause: OPERATOR,
      beganAt: null,
    };
    commit(parts, { event, deadlineMs: COMMIT_MS }, (outcome) => {
      if (outcome.kind === "applied") readmit(parts, done);
      else done();
    });
  });
}

function setEvent({ generation }: MasterRecord, master: Server): EventOf<"set"> {
  return { kind: "set", master, seenGeneration: generation, cause: OPERATOR, beganAt: null };
}
