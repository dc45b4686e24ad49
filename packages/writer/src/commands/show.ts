import { type Document, type MasterRecord, formatServer } from "@primacy/contract";
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
    return {
      exit: "unknown-cluster",
      line: `${cluster.value} has no record; primacy-writer show lists the clusters`,
    };
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
  const found: { readonly cluster: string; readonly record: Document<MasterRecord> }[] = [];
  for (const cluster of clusters) {
    const snapshot = await readClusterState(run, cluster);
    if (isEnding(snapshot)) return snapshot;
    found.push({ cluster, record: snapshot.record });
  }
  if (run.switches.has("json")) {
    const list = found.map(({ cluster, record }) => ({
      cluster,
      record: record.kind === "valid" ? record.value : null,
      problem: record.kind === "unusable" ? record.problem : null,
    }));
    run.terminal.out(JSON.stringify(list, null, 2));
  } else if (found.length === 0) {
    return { exit: "ok", line: "there is no cluster yet (or the token may not see any)" };
  } else {
    run.terminal.out(found.map(({ cluster, record }) => lineOf(cluster, record)).join("\n"));
  }
  return { exit: "ok", line: "" };
}

function lineOf(cluster: string, record: Document<MasterRecord>): string {
  if (record.kind === "absent") return `${cluster}  no record yet`;
  if (record.kind === "unusable") return `${cluster}  ${record.problem}`;
  const { generation, phase, master } = record.value;
  return `${cluster}  generation ${String(generation)}  ${phase}  ${formatServer(master)}`;
}
