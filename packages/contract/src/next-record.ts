import type { StoredRecord, WriteContext } from "./decision.js";
import type { ClusterEvent } from "./event.js";
import {
  type MasterRecord,
  type OldMasterProof,
  type Phase,
  MAX_QUARANTINED,
  RECORD_FORMAT,
  recordHash,
} from "./record.js";
import type { RuleId } from "./rules.js";
import { type Server, sameServer } from "./server.js";

/** What one change makes different. Everything that is left out stays as it was, or goes with the phase. */
export interface Change {
  readonly phase: Phase;
  readonly rule: RuleId;
  readonly master?: Server;
  readonly successor?: Server | null;
  readonly deadline?: string;
  readonly decidedAt?: string;
  readonly quarantined?: readonly Server[];
  readonly oldMaster?: OldMasterProof | undefined;
}

/** Everything that is the same for every change: one generation up, linked to the record before. */
export function nextRecord(
  current: StoredRecord,
  event: ClusterEvent,
  context: WriteContext,
  change: Change,
): MasterRecord {
  const record = current.value;
  const master = change.master ?? record.master;
  const moved = !sameServer(master, record.master);
  return {
    format: RECORD_FORMAT,
    cluster: record.cluster,
    generation: record.generation + 1,
    phase: change.phase,
    master,
    previous: moved ? record.master : record.previous,
    successor: change.successor ?? null,
    quarantined: change.quarantined ?? (moved ? quarantineAfter(record, master) : record.quarantined),
    cause: { ...event.cause, rule: change.rule },
    ...(change.oldMaster === undefined ? {} : { oldMaster: change.oldMaster }),
    decidedAt: change.decidedAt ?? record.decidedAt,
    writtenAt: context.now,
    writtenBy: context.writtenBy,
    writeId: context.writeId,
    deadline: change.deadline ?? null,
    incarnation: record.incarnation,
    previousHash: recordHash(current.text, context.sha256),
  };
}

/** A record holds so many former masters; where each machine has a name of its own, the oldest is long gone. */
function quarantineAfter(record: MasterRecord, master: Server): readonly Server[] {
  return [...record.quarantined, record.master]
    .filter((one, index, all) => all.findIndex((other) => sameServer(one, other)) === index)
    .filter((one) => !sameServer(one, master))
    .slice(-MAX_QUARANTINED);
}
