import { type Layout, type MasterRecord, formatServer, layoutServer, sameServer } from "@primacy/contract";
import { masterIsKnown } from "./desired.js";
import { type Hostgroups, type ServerRow, managed, serverOf } from "./rows.js";

/** What an operator should look at in the rows, though the layout is applied all the same. Pure. */
export function rowWarnings(
  record: MasterRecord,
  layout: Layout,
  memory: readonly ServerRow[],
): readonly string[] {
  const hostgroups: Hostgroups = layout.hostgroups;
  const warnings: string[] = [];
  if (!masterIsKnown(record, layout)) {
    warnings.push(
      `the master ${formatServer(record.master)} is not a candidate in the layout: a row with default columns stands for it; ` +
        "add it to the layout (alsoKnownAs, if it has another name there)",
    );
  }
  for (const row of memory.filter((one) => managed(hostgroups, one))) {
    const known = layoutServer(layout, serverOf(row));
    if (known !== undefined && !sameServer(known, row)) {
      warnings.push(
        `${String(row.hostgroup)}/${formatServer(row)} is another name of ${formatServer(known)}: kept OFFLINE_HARD, ` +
          `the row of ${formatServer(known)} stands for it`,
      );
    }
  }
  for (const row of memory.filter((one) => one.hostgroup === hostgroups.writer)) {
    if (
      layoutServer(layout, serverOf(row)) === undefined &&
      formatServer(row) !== formatServer(record.master)
    ) {
      warnings.push(
        `${formatServer(row)} stands in the writer hostgroup and not in the layout: kept OFFLINE_HARD`,
      );
    }
    if (row.maxReplicationLag > 0) {
      warnings.push(
        `${formatServer(row)} has max_replication_lag ${String(row.maxReplicationLag)} in the writer hostgroup: ` +
          "a promoted master can be shunned for lag; set it to 0",
      );
    }
  }
  return warnings;
}
