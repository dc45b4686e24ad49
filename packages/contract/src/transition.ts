import { type Decision, type StoredRecord, type WriteContext, nothing, refuse, write } from "./decision.js";
import type { ClusterEvent, EventOf } from "./event.js";
import { nextRecord } from "./next-record.js";
import { type MasterRecord, RECORD_FORMAT } from "./record.js";
import type { RuleId } from "./rules.js";
import { type Server, formatServer, includesServer, sameServer } from "./server.js";
import { isStale } from "./stale.js";

/**
 * The one function by which a record changes: protocol.md's table. Pure.
 *
 * Two things go before the table's first row. An event that has already had its effect is "nothing to do", however old
 * it is. And an event that is older than what the record accounts for is stale even where the record's master is the
 * event's outgoing one: after A, B, A a late "B follows A" finds A as the master again.
 */
export function transition(
  current: StoredRecord | null,
  event: ClusterEvent,
  context: WriteContext,
): Decision {
  if (event.kind === "bootstrap") return bootstrap(current, event, context);
  if (current === null)
    return refuse(
      "no-record",
      "no-record",
      `cluster ${context.cluster} has no record yet: bootstrap it first`,
    );
  switch (event.kind) {
    case "open":
      return open(current, event, context);
    case "drain":
      return drain(current, event, context);
    case "fence":
      return fence(current, event, context);
    case "abort":
      return abort(current, event, context);
    case "set":
      return set(current, event, context);
    case "readmit":
      return readmit(current, event, context);
  }
}

function bootstrap(
  current: StoredRecord | null,
  event: EventOf<"bootstrap">,
  context: WriteContext,
): Decision {
  if (current !== null) {
    const record = current.value;
    const master = formatServer(record.master);
    if (sameServer(record.master, event.master) && record.generation === 1) {
      return nothing("bootstrap-again", `the first record already names ${master}`, record);
    }
    return refuse(
      "bootstrap-refused-record-exists",
      "contradictory",
      `cluster ${record.cluster} has a record: generation ${String(record.generation)}, master ${master}`,
    );
  }
  const record: MasterRecord = {
    format: RECORD_FORMAT,
    cluster: context.cluster,
    generation: 1,
    phase: "open",
    master: event.master,
    previous: null,
    successor: null,
    quarantined: [],
    cause: { ...event.cause, rule: "bootstrap-first-record" },
    decidedAt: event.beganAt ?? context.now,
    writtenAt: context.now,
    writtenBy: context.writtenBy,
    writeId: context.writeId,
    deadline: null,
    incarnation: context.newIncarnation,
    previousHash: null,
  };
  return write(
    "bootstrap-first-record",
    `${formatServer(event.master)} is the first master on record`,
    record,
  );
}

function open(current: StoredRecord, event: EventOf<"open">, context: WriteContext): Decision {
  const record = current.value;
  const successor = formatServer(event.successor);
  const outgoing = formatServer(event.outgoing);
  if (sameServer(event.successor, event.outgoing)) return refuseSameServer(event.successor);
  if (sameServer(record.master, event.successor) && record.phase === "open") {
    return nothing("open-already", `${successor} is already the master`, record);
  }
  if (isStale(record, event)) return refuseStale("open-refused-stale", record, event);
  if (!sameServer(record.master, event.outgoing)) {
    return refuse(
      "open-refused-contradictory",
      "contradictory",
      contradiction(record, `${successor} follows ${outgoing}`),
    );
  }
  const next = nextRecord(current, event, context, {
    phase: "open",
    rule: "open-new-master",
    master: event.successor,
    decidedAt: latest(record.decidedAt, event.beganAt ?? context.now),
    oldMaster: event.oldMaster,
  });
  return write("open-new-master", `${successor} follows ${outgoing} as the master`, next);
}

function drain(current: StoredRecord, event: EventOf<"drain">, context: WriteContext): Decision {
  const record = current.value;
  const outgoing = formatServer(event.outgoing);
  if (event.successor !== null && sameServer(event.successor, event.outgoing))
    return refuseSameServer(event.outgoing);
  if (isStale(record, event)) return refuseStale("drain-refused-stale", record, event);
  if (!sameServer(record.master, event.outgoing) || record.phase === "fenced") {
    return refuse(
      "drain-refused-contradictory",
      "contradictory",
      contradiction(record, `${outgoing} drains`),
    );
  }
  if (record.phase === "draining") return nothing("drain-already", `${outgoing} is already draining`, record);
  const next = nextRecord(current, event, context, {
    phase: "draining",
    rule: "drain-begins",
    successor: event.successor,
    deadline: after(context.now, context.drainSeconds),
  });
  return write("drain-begins", `${outgoing} takes no new sessions`, next);
}

function fence(current: StoredRecord, event: EventOf<"fence">, context: WriteContext): Decision {
  const record = current.value;
  const outgoing = formatServer(event.outgoing);
  if (isStale(record, event)) return refuseStale("fence-refused-stale", record, event);
  if (!sameServer(record.master, event.outgoing)) {
    return refuse(
      "fence-refused-contradictory",
      "contradictory",
      contradiction(record, `${outgoing} is fenced`),
    );
  }
  if (record.phase === "fenced") return nothing("fence-already", `${outgoing} is already fenced`, record);
  const next = nextRecord(current, event, context, {
    phase: "fenced",
    rule: "fence-begins",
    successor: record.successor,
    deadline: after(context.now, context.fenceSeconds),
    decidedAt: latest(record.decidedAt, event.beganAt),
  });
  return write("fence-begins", `nobody takes writes while ${outgoing} is failed over`, next);
}

function abort(current: StoredRecord, event: EventOf<"abort">, context: WriteContext): Decision {
  const record = current.value;
  const outgoing = formatServer(event.outgoing);
  if (sameServer(record.master, event.outgoing) && record.phase === "open") {
    return nothing("abort-already", `${outgoing} is the master and open`, record);
  }
  if (isStale(record, event)) return refuseStale("abort-refused-stale", record, event);
  if (!sameServer(record.master, event.outgoing)) {
    return refuse(
      "abort-refused-contradictory",
      "contradictory",
      contradiction(record, `${outgoing} stays the master`),
    );
  }
  const next = nextRecord(current, event, context, {
    phase: "open",
    rule: "abort-reopens",
    decidedAt: latest(record.decidedAt, event.beganAt),
  });
  return write("abort-reopens", `${outgoing} stays the master and takes writes again`, next);
}

function set(current: StoredRecord, event: EventOf<"set">, context: WriteContext): Decision {
  const record = current.value;
  if (record.generation !== event.seenGeneration) return refuseMoved(record, event.seenGeneration);
  const next = nextRecord(current, event, context, {
    phase: "open",
    rule: "operator-set",
    master: event.master,
    // Not the later of the two: a record that a wrong clock has dated into the future would refuse every failover as
    // stale, and an operator's word is the cure.
    decidedAt: event.beganAt ?? context.now,
  });
  return write("operator-set", `an operator named ${formatServer(event.master)} the master`, next);
}

function readmit(current: StoredRecord, event: EventOf<"readmit">, context: WriteContext): Decision {
  const record = current.value;
  const server = formatServer(event.server);
  if (record.generation !== event.seenGeneration) return refuseMoved(record, event.seenGeneration);
  if (!includesServer(record.quarantined, event.server)) {
    return nothing("operator-readmits-already", `${server} is not quarantined`, record);
  }
  if (record.phase !== "open") {
    return refuse(
      "operator-refused-contradictory",
      "contradictory",
      contradiction(record, `${server} leaves quarantine`),
    );
  }
  const next = nextRecord(current, event, context, {
    phase: "open",
    rule: "operator-readmits",
    quarantined: record.quarantined.filter((one) => !sameServer(one, event.server)),
  });
  return write("operator-readmits", `an operator let ${server} out of quarantine`, next);
}

function refuseStale(rule: RuleId, record: MasterRecord, event: ClusterEvent): Decision {
  const began = event.beganAt ?? "when the record's did";
  return refuse(
    rule,
    "stale",
    `the event's recovery (began ${began}) is accounted for: generation ${String(record.generation)} was decided ` +
      `${record.decidedAt}, and its master is ${formatServer(record.master)}`,
  );
}

function refuseSameServer(server: Server): Decision {
  return refuse("same-server", "contradictory", `${formatServer(server)} cannot follow itself`);
}

function refuseMoved(record: MasterRecord, seen: number): Decision {
  return refuse(
    "operator-refused-generation-moved",
    "stale",
    `the record is at generation ${String(record.generation)} by now, not ${String(seen)}: look again`,
  );
}

function contradiction(record: MasterRecord, claim: string): string {
  return `"${claim}" contradicts generation ${String(record.generation)}: ${formatServer(record.master)} is ${record.phase}`;
}

function latest(a: string, b: string | null): string {
  return b !== null && Date.parse(b) > Date.parse(a) ? b : a;
}

function after(instant: string, seconds: number): string {
  return new Date(Date.parse(instant) + seconds * 1000).toISOString();
}
