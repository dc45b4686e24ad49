import type { EventOf, MasterRecord, Server } from "@primacy/contract";
import { commit, read } from "./commit.js";
import type { WriterProcess } from "./opening.js";

const AGAIN_MS = 1000;
const COMMIT_MS = 5000;

/** An operator who has called a takeover off says that the master stays, until the record says so. */
export function insist(parts: WriterProcess, master: Server, done: () => void): void {
  const { process } = parts;
  const again = (): void => {
    process.after(AGAIN_MS, () => {
      insist(parts, master, done);
    });
  };
  read(parts, (snapshot) => {
    if (snapshot?.record.kind !== "valid") again();
    else if (snapshot.record.value.phase === "open") done();
    else {
      commit(parts, { event: setEvent(snapshot.record.value, master), deadlineMs: COMMIT_MS }, (outcome) => {
        if (outcome.kind === "applied") done();
        else again();
      });
    }
  });
}

function setEvent({ generation }: MasterRecord, master: Server): EventOf<"set"> {
  const cause = { kind: "operator" as const, failureType: "", recoveryUid: "", command: "" };
  return { kind: "set", master, seenGeneration: generation, cause, beganAt: null };
}
