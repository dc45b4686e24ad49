import { readFile } from "node:fs/promises";
import type { ClusterSnapshot } from "@primacy/consul-store";
import {
  type ClusterEvent,
  type Layout,
  type Parsed,
  type Server,
  canonicalServer,
  formatServer,
  isCandidate,
  parseServer,
} from "@primacy/contract";
import type { Ending } from "../ending.js";
import { errorText } from "../errors.js";
import { readClusterView } from "../orchestrator-api.js";
import { masterOf } from "../orchestrator-master.js";
import { type Run, clusterWord, usage } from "../run.js";
import { isoNow } from "../world.js";
import { commitByPerson, isEnding, readClusterState } from "./cluster-state.js";
import { confirm } from "./confirm.js";
import { layoutObjection, showLayoutChange, writeLayout } from "./layout.js";
import { type LayoutFile, readLayoutFile } from "./layout-file.js";

/** The first record of a cluster: who the master is now, said by a person or by Orchestrator, shown before written. */
export async function bootstrapCommand(run: Run): Promise<Ending> {
  const cluster = clusterWord(run);
  if (!cluster.ok) return usage(cluster.problem);
  const snapshot = await readClusterState(run, cluster.value);
  if (isEnding(snapshot)) return snapshot;
  const layout = await layoutFor(run, snapshot);
  if (isEnding(layout)) return layout;
  const master = await masterFor(run, cluster.value, layout.file.layout);
  if (isEnding(master)) return master;
  const event: ClusterEvent = {
    kind: "bootstrap",
    master,
    beganAt: isoNow(run.world),
    cause: { kind: "bootstrap", failureType: "", recoveryUid: "", command: "" },
  };
  // A record that is there already is not to be asked about: the transition says what is so.
  if (snapshot.record.kind !== "absent") return commitByPerson(run, cluster.value, event);
  if (layout.change !== "") run.terminal.out(`layout\n${layout.change}\n`);
  run.terminal.out(`record\n+ ${cluster.value}: generation 1, open, master ${formatServer(master)}`);
  const declined = await confirm(run, `Write this as the beginning of ${cluster.value}?`);
  if (declined !== undefined) return declined;
  if (layout.change !== "") {
    const written = await writeLayout(run, layout.file, snapshot);
    if (written.exit !== "ok") return written;
  }
  return commitByPerson(run, cluster.value, event);
}

interface ChosenLayout {
  readonly file: LayoutFile;
  /** What writing it would change; `""`: it is stored like that. */
  readonly change: string;
}

async function layoutFor(run: Run, snapshot: ClusterSnapshot): Promise<ChosenLayout | Ending> {
  const { cluster } = snapshot;
  const path = run.flags["layout"];
  if (path === undefined) {
    const { layout } = snapshot;
    if (layout.kind === "valid") return { file: { cluster, layout: layout.value }, change: "" };
    if (layout.kind === "unusable") return { exit: "unusable", line: `${cluster}: ${layout.problem}` };
    return {
      exit: "unknown-cluster",
      line: `${cluster} has no layout yet: give --layout <file>`,
    };
  }
  const file = await readLayoutFile(path);
  if (!file.ok) return usage(file.problem);
  if (file.value.cluster !== cluster) {
    return usage(`${path} is the layout of ${file.value.cluster}, not of ${cluster}`);
  }
  const objection = layoutObjection(file.value, snapshot);
  return objection ?? { file: file.value, change: showLayoutChange(run, snapshot, file.value.layout) };
}

async function masterFor(run: Run, cluster: string, layout: Layout): Promise<Server | Ending> {
  const said = run.flags["master"];
  const found = said === undefined ? await askOrchestrator(run, cluster) : sayMaster(said);
  if (isEnding(found)) return found;
  const master = canonicalServer(layout, found);
  if (isCandidate(layout, master)) return master;
  return {
    exit: "refused-contradictory",
    line: `${cluster} refused: ${formatServer(master)} is no candidate in the layout`,
  };
}

function sayMaster(text: string): Server | Ending {
  const parsed = parseServer(text, 3306);
  return parsed.ok ? parsed.value : usage(`--master: ${parsed.problem}`);
}

async function askOrchestrator(run: Run, cluster: string): Promise<Server | Ending> {
  const { orchestrator, clusterNames, deadlineMs } = run.settings;
  if (orchestrator.url === undefined)
    return usage("who is the master? --master host:port, or --orchestrator http://…");
  const auth = await orchestratorAuth(orchestrator);
  if (!auth.ok) return usage(auth.problem);
  const alias = run.flags["alias"] ?? aliasOf(cluster, clusterNames.aliases);
  const access = { url: orchestrator.url, auth: auth.value, timeoutMs: deadlineMs };
  const view = await readClusterView(access, alias);
  const master = view.ok ? masterOf(view.value, alias) : view;
  if (master.ok) return master.value;
  return { exit: "orchestrator-unusable", line: `${cluster}: ${master.problem}` };
}

async function orchestratorAuth(access: {
  readonly auth: string | undefined;
  readonly authFile: string | undefined;
}): Promise<Parsed<string | undefined>> {
  if (access.authFile === undefined) return { ok: true, value: access.auth };
  try {
    return { ok: true, value: (await readFile(access.authFile, "utf8")).trim() };
  } catch (error) {
    return { ok: false, problem: `the file for Orchestrator's password can't be read: ${errorText(error)}` };
  }
}

/** Orchestrator's name for our cluster: the alias that is mapped to it, or else the same name. */
function aliasOf(cluster: string, aliases: ReadonlyMap<string, string>): string {
  return [...aliases].find(([, name]) => name === cluster)?.[0] ?? cluster;
}
