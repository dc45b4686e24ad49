import { describe, expect, test } from "vitest";
import { desired } from "../src/desired.js";
import { plan, runtimeDifferences } from "../src/plan.js";
import type { ServerRow } from "../src/rows.js";
import { rowWarnings } from "../src/warnings.js";
import { db1, db2, db3, layersOf, layoutOf, recordOf, rowOf } from "./samples.js";

const alias = { host: "10.0.0.1", port: 3306 };
const layout = layoutOf({ servers: [{ ...db1, alsoKnownAs: ["10.0.0.1"] }, db2, db3] });
/** db2 took over from db1, which may be alive and writable. */
const record = recordOf({ master: db2, previous: db1, quarantined: [db1] });
const wanted = desired(record, layout, null);

function statusAfter(rows: readonly ServerRow[], row: ServerRow): string | undefined {
  const { steps } = plan(wanted, layersOf(rows), false);
  const update = steps.find((step) => step.kind === "update");
  const found = update?.rows.find((one) => one.hostgroup === row.hostgroup && one.host === row.host);
  return found?.status ?? row.status;
}

describe("a server that stands in a hostgroup under another name", () => {
  test.each([
    ["one that the layout knows", alias],
    ["in capitals", { ...db1, host: "DB1" }],
    ["with a dot at its end", { ...db1, host: "db1." }],
  ])("takes neither writes nor reads while it is quarantined: %s", (_what, server) => {
    for (const hostgroup of [10, 20]) {
      const row = rowOf(hostgroup, server, "ONLINE");
      expect(statusAfter([row], row)).toBe("OFFLINE_HARD");
      expect(runtimeDifferences(wanted, [row]).join()).toContain("wanted OFFLINE_HARD");
    }
  });

  test("an IPv6 address written at length, or in brackets, is the same address", () => {
    const six = layoutOf({ servers: [{ host: "2001:db8::1" }, db2] });
    const old = { host: "2001:db8::1", port: 3306 };
    const now = desired(recordOf({ master: db2, previous: old, quarantined: [old] }), six, null);
    for (const host of ["2001:DB8:0:0:0:0:0:1", "[2001:db8::1]"]) {
      const row = rowOf(20, { host, port: 3306 }, "ONLINE");
      expect(runtimeDifferences(now, [row]).join()).toContain("wanted OFFLINE_HARD");
    }
  });

  test("a reader has one row, under the layout's name", () => {
    const open = desired(recordOf({ master: db2 }), layout, null);
    const row = rowOf(20, alias, "ONLINE");
    const { steps } = plan(open, layersOf([row]), false);
    const update = steps.find((step) => step.kind === "update");
    expect(update?.rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...alias, hostgroup: 20, status: "OFFLINE_HARD" }),
        expect.objectContaining({ ...db1, hostgroup: 20, status: "ONLINE" }),
      ]),
    );
  });

  test("is warned of, whatever the hostgroup; strangers among the readers are not", () => {
    const rows = [rowOf(10, alias, "ONLINE"), rowOf(20, { ...db1, host: "db1." }, "ONLINE")];
    const stranger = rowOf(20, { host: "other", port: 3306 }, "ONLINE");
    const warnings = rowWarnings(record, layout, [...rows, stranger]);
    expect(warnings).toEqual([
      expect.stringContaining("10/10.0.0.1:3306 is another name of db1:3306"),
      expect.stringContaining("20/db1.:3306 is another name of db1:3306"),
    ]);
  });
});

test("a row that lingers in the runtime does not stand for the one that has its place", () => {
  // Somebody wrote db2 as DB2; sessions still hold connections to the row as it was.
  const lingering = rowOf(10, db2, "OFFLINE_HARD");
  const serving = rowOf(10, { ...db2, host: "DB2" }, "ONLINE");
  const reader = rowOf(20, db3, "ONLINE");
  expect(runtimeDifferences(wanted, [lingering, serving, reader])).toEqual([]);
});
