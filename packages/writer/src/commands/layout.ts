import type { ClusterSnapshot } from "@primacy/consul-store";
import { type Layout, formatServer, isCandidate, layoutText } from "@primacy/contract";
import type { Ending } from "../ending.js";
import { type Run, clusterWord, usage } from "../run.js";
import { showDiff } from "../text-diff.js";
import { consulEnding, isEnding, readClusterState, writeEnding } from "./cluster-state.js";
import { confirm } from "./confirm.js";
import { type LayoutFile, layoutYaml, readLayoutFile } from "./layout-file.js";

export async function layoutCommand(run: Run): Promise<Ending> {
  const [what] = run.words;
  if (what === "apply") return applyLayout(run);
  if (what === "show") return showLayout(run);
  return usage('"layout" needs "apply <file>" or "show <cluster>"');
}

async function applyLayout(run: Run): Promise<Ending> {
  const path = run.words[1];
  if (path === undefined) return usage("which file? layout apply <file>");
  const file = await readLayoutFile(path);
  if (!file.ok) return usage(file.problem);
  const snapshot = await readClusterState(run, file.value.cluster);
  if (isEnding(snapshot)) return snapshot;
  const objection = layoutObjection(file.value, snapshot);
  if (objection !== undefined) return objection;
  const difference = showLayoutChange(run, snapshot, file.value.layout);
  if (difference === "")
    return { exit: "ok", line: `${file.value.cluster}: the layout is like that already` };
  run.terminal.out(difference);
  const declined = await confirm(run, `Write this layout of ${file.value.cluster}?`);
  if (declined !== undefined) return declined;
  // Somebody may have read this for minutes, and another server be the master by now.
  const now = await readClusterState(run, file.value.cluster);
  if (isEnding(now)) return now;
  return layoutObjection(file.value, now) ?? (await writeLayout(run, file.value, snapshot));
}

/** Without its master's row a proxy could not follow the record: such a layout is never written. */
export function layoutObjection(file: LayoutFile, snapshot: ClusterSnapshot): Ending | undefined {
  const { record } = snapshot;
  if (record.kind === "absent") return undefined;
  const { cluster, layout } = file;
  if (record.kind === "unusable") {
    return { exit: "unusable", line: `${cluster}: who is the master can't be told: ${record.problem}` };
  }
  const { master, generation } = record.value;
  if (isCandidate(layout, master)) return undefined;
  return {
    exit: "refused-contradictory",
    line:
      `${cluster} refused: ${formatServer(master)} is the master (generation ${String(generation)}) ` +
      "and no candidate in the new layout",
  };
}

/** The difference to what is stored, `""` where there is none. */
export function showLayoutChange(run: Run, snapshot: ClusterSnapshot, layout: Layout): string {
  const stored = snapshot.layout;
  if (stored.kind === "valid" && layoutText(stored.value) === layoutText(layout)) return "";
  const before = stored.kind === "valid" ? layoutYaml(stored.value) : "";
  const heading = stored.kind === "unusable" ? `(what is there now can't be read: ${stored.problem})\n` : "";
  return `${heading}${showDiff(before, layoutYaml(layout), run.terminal)}`;
}

export async function writeLayout(run: Run, file: LayoutFile, snapshot: ClusterSnapshot): Promise<Ending> {
  const { cluster, layout } = file;
  try {
    const written = await run.store.writeLayout(cluster, layout, snapshot.layoutIndex, {
      deadlineMs: run.settings.deadlineMs,
      signal: run.signal,
    });
    return (
      writeEnding(cluster, "layout", written) ?? { exit: "ok", line: `${cluster}: the layout is written` }
    );
  } catch (error) {
    return consulEnding(cluster, error);
  }
}

async function showLayout(run: Run): Promise<Ending> {
  const cluster = clusterWord(run, 1);
  if (!cluster.ok) return usage(cluster.problem);
  const snapshot = await readClusterState(run, cluster.value);
  if (isEnding(snapshot)) return snapshot;
  const { layout } = snapshot;
  if (layout.kind === "absent") {
    return { exit: "unknown-cluster", line: `${cluster.value} has no layout` };
  }
  if (layout.kind === "unusable") return { exit: "unusable", line: `${cluster.value}: ${layout.problem}` };
  const text = run.switches.has("json") ? layoutText(layout.value) : layoutYaml(layout.value).trimEnd();
  run.terminal.out(text);
  return { exit: "ok", line: "" };
}
