import { type Parsed, type Server, formatServer, makeServer, printable, sameServer } from "@primacy/contract";
import type { ClusterView, OrchestratorInstance } from "./orchestrator-api.js";

/**
 * The one server of which Orchestrator is sure that it is the master of the cluster called `alias`. Pure.
 *
 * `/api/masters` alone must not be believed: it lists dead masters by the read_only they last had
 * (openark/orchestrator#1462), and a former master that came back writable is there as a cluster of its own, under the
 * same suggested alias. So: a root of the cluster, checked validly and recently, not downtimed and writable; exactly one;
 * the one that `/api/master` names; and no other writable root that claims the alias.
 */
export function masterOf(view: ClusterView, alias: string): Parsed<Server> {
  const roots = view.instances.filter(isRoot);
  const healthy = roots.filter((root) => objection(root) === undefined);
  const [chosen, second] = healthy;
  if (chosen === undefined) return problem(`no healthy, writable master: ${listObjections(roots)}`);
  if (second !== undefined) return problem(`two writable masters: ${name(chosen)} and ${name(second)}`);
  const rival = view.masters.find(
    (one) => one.SuggestedClusterAlias === alias && objection(one) === undefined && !sameKey(one, chosen),
  );
  if (rival !== undefined) {
    return problem(`${name(rival)} is writable as well and claims to be the master of "${printable(alias)}"`);
  }
  if (!sameKey(view.master, chosen)) {
    return problem(
      `Orchestrator contradicts itself: ${name(chosen)} and ${name(view.master)} are the master`,
    );
  }
  return makeServer(chosen.Key.Hostname, chosen.Key.Port);
}

function isRoot(instance: OrchestratorInstance): boolean {
  return instance.ReplicationDepth === 0 || instance.IsCoMaster;
}

function objection(instance: OrchestratorInstance): string | undefined {
  if (!instance.IsLastCheckValid) return "its last check failed";
  if (!instance.IsRecentlyChecked) return "it was not checked recently";
  if (instance.IsDowntimed) return "it is downtimed";
  if (instance.ReadOnly) return "it is read-only";
  return undefined;
}

function listObjections(roots: readonly OrchestratorInstance[]): string {
  if (roots.length === 0) return "Orchestrator knows no server of the cluster that replicates from nobody";
  return roots.map((root) => `${name(root)}: ${objection(root) ?? ""}`).join("; ");
}

function sameKey(a: OrchestratorInstance, b: OrchestratorInstance): boolean {
  return sameServer(server(a), server(b));
}

function server(instance: OrchestratorInstance): Server {
  return { host: instance.Key.Hostname, port: instance.Key.Port };
}

function name(instance: OrchestratorInstance): string {
  return printable(formatServer(server(instance)));
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text };
}
