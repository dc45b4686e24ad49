import type { Layers, Step } from "../src/plan.js";
import { type ServerRow, sameKey } from "../src/rows.js";
import { runtimeOf } from "./samples.js";

/** Carries out one step on a model of ProxySQL's three layers; `verify` and `stamp` change none of them. */
export function carryOut(layers: Layers, step: Step): Layers {
  switch (step.kind) {
    case "insert":
      return layers.memory.some((row) => sameKey(row, step.row))
        ? layers
        : { ...layers, memory: [...layers.memory, step.row] };
    case "update":
      return { ...layers, memory: layers.memory.map((row) => updated(row, step)) };
    case "load":
      return { ...layers, runtime: runtimeOf(layers.memory) };
    case "save":
      return { ...layers, disk: layers.memory };
    case "verify":
    case "stamp":
      return layers;
  }
}

function updated(row: ServerRow, step: Extract<Step, { kind: "update" }>): ServerRow {
  const named = step.rows.find(
    (one) => one.hostgroup === row.hostgroup && one.host === row.host && one.port === row.port,
  );
  if (named !== undefined) return { ...row, status: named.status };
  return row.hostgroup === step.writerHostgroup ? { ...row, status: "OFFLINE_HARD" } : row;
}
