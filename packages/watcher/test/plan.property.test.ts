import type { Server } from "@primacy/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { desired } from "../src/desired.js";
import { type Layers, plan, runtimeDifferences, writersIn } from "../src/plan.js";
import { type ServerRow, managed } from "../src/rows.js";
import { READER, WRITER, situation } from "./arbitraries.js";
import { carryOut } from "./model.js";
import { runtimeOf } from "./samples.js";

/** A LOAD makes the runtime's names those of the memory: the same server may be written otherwise. */
function writersOf({ runtime }: Layers): readonly Server[] {
  return writersIn(runtime, WRITER).map(({ host, port }) => ({ host: host.toLowerCase(), port }));
}

describe("laws of the plan", () => {
  test("carried out, it leaves nothing to do", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers, stampDiffers }) => {
        const wanted = desired(record, layout, members);
        const after = plan(wanted, layers, stampDiffers).steps.reduce(carryOut, layers);
        expect(plan(wanted, after, false).steps).toEqual([]);
        expect(runtimeDifferences(wanted, after.runtime)).toEqual([]);
      }),
    );
  });

  test("after any prefix, with a LOAD by anyone in between, the writer hostgroup has at most one server", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers, stampDiffers }) => {
        let now = layers;
        const wanted = desired(record, layout, members);
        const writersAfterLoad = (): number => writersIn(runtimeOf(now.memory), WRITER).length;
        expect(writersAfterLoad()).toBeLessThanOrEqual(1);
        for (const step of plan(wanted, layers, stampDiffers).steps) {
          now = carryOut(now, step);
          expect(writersAfterLoad()).toBeLessThanOrEqual(1);
          expect(writersIn(now.runtime, WRITER).length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("cut anywhere and decided again, it ends at the same place", () => {
    fc.assert(
      fc.property(fc.record({ ...situation, cut: fc.nat(8), foreignLoad: fc.boolean() }), (one) => {
        const wanted = desired(one.record, one.layout, one.members);
        const { steps } = plan(wanted, one.layers, one.stampDiffers);
        const straight = steps.reduce(carryOut, one.layers);
        const half = steps.slice(0, one.cut).reduce(carryOut, one.layers);
        const disturbed = one.foreignLoad ? carryOut(half, { kind: "load" }) : half;
        const resumed = plan(wanted, disturbed, false).steps.reduce(carryOut, disturbed);
        expect(resumed.memory).toEqual(straight.memory);
        expect(writersOf(resumed)).toEqual(writersOf(straight));
        expect(runtimeDifferences(wanted, resumed.runtime)).toEqual([]);
      }),
    );
  });

  test("only the record's master is ever put into the writer hostgroup, and only while it is open", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers }) => {
        const after = plan(desired(record, layout, members), layers, false).steps.reduce(carryOut, layers);
        const online = after.memory.filter((row) => row.hostgroup === WRITER && row.status === "ONLINE");
        expect(online.map((row) => row.host.toLowerCase())).toEqual(
          record.phase === "open" ? [record.master.host] : [],
        );
      }),
    );
  });

  test("a quarantined server serves neither writes nor reads until members say that it follows the master", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, layers }) => {
        const after = plan(desired(record, layout, null), layers, false).steps.reduce(carryOut, layers);
        for (const server of record.quarantined) {
          const rows = after.memory.filter((row) => managed({ writer: WRITER, reader: READER }, row));
          const its = rows.filter((row) => row.host.toLowerCase() === server.host);
          expect(its.every((row) => row.status === "OFFLINE_HARD")).toBe(true);
        }
      }),
    );
  });

  test("rows of other hostgroups, and every column but status, stay as operators set them", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers }) => {
        const after = plan(desired(record, layout, members), layers, false).steps.reduce(carryOut, layers);
        layers.memory.forEach((before, index) => {
          const now = after.memory[index]!;
          expect({ ...now, status: null }).toEqual({ ...before, status: null });
          if (before.hostgroup === 77) expect(now).toEqual(before);
        });
      }),
    );
  });

  test("the order in which ProxySQL lists its rows does not matter", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers }) => {
        const wanted = desired(record, layout, members);
        const turned: Layers = {
          memory: [...layers.memory].reverse(),
          runtime: [...layers.runtime].reverse(),
          disk: [...(layers.disk ?? [])].reverse(),
        };
        const sorted = (rows: readonly ServerRow[]): readonly string[] =>
          rows.map((row) => JSON.stringify(row)).sort();
        const one = plan(wanted, layers, false).steps.reduce(carryOut, layers);
        const other = plan(wanted, turned, false).steps.reduce(carryOut, turned);
        expect(sorted(one.memory)).toEqual(sorted(other.memory));
      }),
    );
  });

  test("nothing that it is given is changed", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers }) => {
        const before = JSON.stringify({ record, layout, members, layers });
        plan(desired(record, layout, members), layers, true);
        expect(JSON.stringify({ record, layout, members, layers })).toBe(before);
      }),
    );
  });

  test("no difference, no LOAD", () => {
    fc.assert(
      fc.property(fc.record(situation), ({ record, layout, members, layers }) => {
        const { steps, runtimeDiffers } = plan(desired(record, layout, members), layers, false);
        expect(steps.some((step) => step.kind === "load")).toBe(runtimeDiffers);
        const load = steps.findIndex((step) => step.kind === "load");
        expect(load === -1 || steps[load + 1]?.kind === "verify").toBe(true);
        const save = steps.findIndex((step) => step.kind === "save");
        expect(save === -1 || save === steps.length - 1).toBe(true);
      }),
    );
  });
});
