import type { Layout, MasterRecord, Members } from "@primacy/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Wanted, desired } from "../src/desired.js";
import { type Layers, plan, runtimeDifferences, writersIn } from "../src/plan.js";
import { type ServerRow, mayBeWritten } from "../src/rows.js";
import { WRITER, situation } from "./arbitraries.js";
import { carryOut } from "./model.js";

interface Documents {
  readonly record: MasterRecord;
  readonly layout: Layout;
  readonly members: Members | null;
}

function underLease({ record, layout, members }: Documents): Wanted {
  return { ...desired(record, layout, members), lease: { openUntilSeconds: 1 } };
}

const canBeWritten = (rows: readonly ServerRow[] | null): number =>
  (rows ?? []).filter((row) => row.hostgroup === WRITER && mayBeWritten(row)).length;

describe("laws of the plan under a lease", () => {
  test("carried out, it leaves nothing to do, and a disk without a writer", () => {
    fc.assert(
      fc.property(fc.record(situation), (one) => {
        const wanted = underLease(one);
        const after = plan(wanted, one.layers, one.stampDiffers).steps.reduce(carryOut, one.layers);
        expect(plan(wanted, after, false).steps).toEqual([]);
        expect(runtimeDifferences(wanted, after.runtime)).toEqual([]);
        expect(canBeWritten(after.disk)).toBe(0);
      }),
    );
  });

  test("after any prefix, with a LOAD by anyone, at most one server takes writes, and the disk gets no writer", () => {
    fc.assert(
      fc.property(fc.record(situation), (one) => {
        let layers: Layers = one.layers;
        for (const step of plan(underLease(one), layers, one.stampDiffers).steps) {
          const before = canBeWritten(layers.disk);
          layers = carryOut(layers, step);
          expect(writersIn(layers.memory, WRITER).length).toBeLessThanOrEqual(1);
          expect(writersIn(carryOut(layers, { kind: "load" }).runtime, WRITER).length).toBeLessThanOrEqual(1);
          expect(canBeWritten(layers.disk)).toBeLessThanOrEqual(before);
        }
      }),
    );
  });

  test("the disk is fenced before anything is let through", () => {
    fc.assert(
      fc.property(fc.record(situation), (one) => {
        const { steps } = plan(underLease(one), one.layers, one.stampDiffers);
        const load = steps.findIndex((step) => step.kind === "load");
        const atLoad = steps.slice(0, Math.max(0, load)).reduce(carryOut, one.layers);
        if (load >= 0) expect(canBeWritten(atLoad.disk)).toBe(0);
      }),
    );
  });

  test("every LOAD comes after a statement that carries the deadline", () => {
    fc.assert(
      fc.property(fc.record(situation), (one) => {
        const { steps } = plan(underLease(one), one.layers, one.stampDiffers);
        const load = steps.findIndex((step) => step.kind === "load");
        if (load < 0) return;
        const update = steps.slice(0, load).find((step) => step.kind === "update");
        expect(update).toMatchObject({ openUntilSeconds: 1 });
      }),
    );
  });

  test("sessions are ended before anything else", () => {
    fc.assert(
      fc.property(fc.record(situation), (one) => {
        const wanted: Wanted = { ...underLease(one), kill: [one.record.master] };
        expect(plan(wanted, one.layers, one.stampDiffers).steps[0]).toEqual({
          kind: "kill",
          hostgroup: WRITER,
          servers: [one.record.master],
          hidden: null,
        });
      }),
    );
  });
});
