import { type MasterRecord, formatServer } from "@primacy/contract";

/** The record as people read it: a name and a value a line. */
export function describeRecord(record: MasterRecord): string {
  const { cause } = record;
  const why = [cause.failureType, cause.command, cause.recoveryUid && `recovery ${cause.recoveryUid}`];
  const rows: [string, string][] = [
    ["cluster", record.cluster],
    ["generation", String(record.generation)],
    ["phase", record.deadline === null ? record.phase : `${record.phase} until ${record.deadline}`],
    ["master", formatServer(record.master)],
  ];
  if (record.successor !== null) rows.push(["successor", formatServer(record.successor)]);
  if (record.previous !== null) rows.push(["previous", formatServer(record.previous)]);
  if (record.quarantined.length > 0)
    rows.push(["quarantined", record.quarantined.map(formatServer).join(", ")]);
  rows.push(
    ["cause", `${cause.kind} [${cause.rule}] ${why.filter((word) => word !== "").join(", ")}`.trimEnd()],
    ["decided", record.decidedAt],
    ["written", `${record.writtenAt} by ${record.writtenBy}`],
    ["incarnation", record.incarnation],
  );
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join("\n");
}
