import type { Layers, Step } from "../src/plan.js";
import { type Hostgroups, type ServerRow, managed, sameKey } from "../src/rows.js";
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
    case "fence-disk":
      return { ...layers, disk: fenced(layers.disk ?? [], step.writerHostgroup) };
    case "save-fenced":
      return { ...layers, disk: savedFenced(layers, step.hostgroups) };
    case "kill":
    case "kill-fast-forward":
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

function fenced(rows: readonly ServerRow[], writerHostgroup: number): readonly ServerRow[] {
  return rows.map((row) => (row.hostgroup === writerHostgroup ? { ...row, status: "OFFLINE_HARD" } : row));
}

function savedFenced(layers: Layers, hostgroups: Hostgroups): readonly ServerRow[] {
  const saved = fenced(
    layers.memory.filter((row) => managed(hostgroups, row)),
    hostgroups.writer,
  );
  const others = (layers.disk ?? []).filter((row) => !managed(hostgroups, row));
  return [...others, ...saved];
}
