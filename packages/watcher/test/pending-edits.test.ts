import { describe, expect, test } from "vitest";
import { desired } from "../src/desired.js";
import { pendingEditsOfOthers } from "../src/pending-edits.js";
import type { ServerRow } from "../src/rows.js";
import { db1, db2, layoutOf, recordOf, rowOf } from "./samples.js";

const wanted = desired(recordOf(), layoutOf(), null);

function pending(memory: readonly ServerRow[], runtime: readonly ServerRow[]): readonly string[] {
  return pendingEditsOfOthers(wanted, { memory, runtime, disk: null });
}

describe("what our LOAD would publish for somebody else", () => {
  test("nothing, where memory and runtime agree: OFFLINE_HARD is absent, SHUNNED was ONLINE", () => {
    const rows = [rowOf(10, db1, "ONLINE"), rowOf(99, db1, "ONLINE"), rowOf(99, db2, "OFFLINE_HARD")];
    expect(pending(rows, [rowOf(10, db1, "ONLINE"), rowOf(99, db1, "SHUNNED")])).toEqual([]);
  });

  test("rows of other hostgroups: added, removed, with another status", () => {
    expect(pending([rowOf(99, db1, "ONLINE")], [])).toEqual(["99/db1:3306 ONLINE is not in the runtime"]);
    expect(pending([], [rowOf(99, db1, "ONLINE")])).toEqual(["99/db1:3306 is no longer in memory"]);
    expect(pending([rowOf(99, db1, "OFFLINE_SOFT")], [rowOf(99, db1, "ONLINE")])).toHaveLength(1);
  });

  test.each([10, 20, 99])("columns of a row, in our hostgroups too: %i", (hostgroup) => {
    const edited = rowOf(hostgroup, db1, "ONLINE", { weight: 0, maxConnections: 5 });
    expect(pending([edited], [rowOf(hostgroup, db1, "ONLINE")])).toEqual([
      `${hostgroup}/db1:3306 has weight 0, in the runtime 1`,
      `${hostgroup}/db1:3306 has max_connections 5, in the runtime 1000`,
    ]);
  });

  test("in our hostgroups no status: that is ours to set", () => {
    expect(pending([rowOf(10, db2, "ONLINE")], [rowOf(10, db2, "OFFLINE_SOFT")])).toEqual([]);
    expect(pending([], [rowOf(20, db2, "ONLINE")])).toEqual([]);
  });
});
