import { formatServer } from "@primacy/contract";
import { masterWarnings } from "../commit.js";
import { describeRecord } from "../describe.js";
import type { Ending } from "../ending.js";
import { type Run, clusterWord, usage } from "../run.js";
import { consulEnding, isEnding, readClusterState } from "./cluster-state.js";

/** The record of one cluster, or a line for each cluster that there is. */
export async function showCommand(run: Run): Promise<Ending> {
  if (run.words.length === 0) return showAll(run);
  const cluster = clusterWord(run);
  if (!cluster.ok) return usage(cluster.problem);
  const snapshot = await readClusterState(run, cluster.value);
  if (isEnding(snapshot)) return snapshot;
  const { record, layout } = snapshot;
  if (record.kind === "unusable") return { exit: "unusable", line: `${cluster.value}: ${record.problem}` };
  if (record.kind === "absent") {
    return { exit: "unknown-cluster", line: `${cluster.value} has no record` };
  }
  run.terminal.out(run.switches.has("json") ? record.text : describeRecord(record.value));
  const warnings =
    layout.kind === "unusable"
      ? [layout.problem]
      : masterWarnings(record.value, layout.kind === "valid" ? layout.value : undefined);
  return { exit: "ok", line: "", notes: warnings.map((warning) => `${cluster.value} warning: ${warning}`) };
}

async function showAll(run: Run): Promise<Ending> {
  let clusters: string[];
  try {
    clusters = await run.store.listClusters({ deadlineMs: run.settings.deadlineMs, signal: run.signal });
  } catch (error) {
    return consulEnding("clusters", error);
  }
  const lines: string[] = [];
  for (const cluster of clusters) {
    const snapshot = await readClusterState(run, cluster);
    if (isEnding(snapshot)) return snapshot;
    const { record } = snapshot;
    const said =
      record.kind === "valid"
        ? [
            `generation ${String(record.value.generation)}`,
            record.value.phase,
            formatServer(record.value.master),
          ]
        : [record.kind === "absent" ? "no record yet" : record.problem];
    lines.push([cluster, ...said].join("  "));
  }
  if (lines.length === 0) return { exit: "ok", line: "there is no cluster yet" };
  run.terminal.out(lines.join("\n"));
  return { exit: "ok", line: "" };
}
