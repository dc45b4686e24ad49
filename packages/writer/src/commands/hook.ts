import type { Ending } from "../ending.js";
import { readHookEnvironment } from "../hook/environment.js";
import { hookEvent } from "../hook/event.js";
import { type Hook, HOOKS, parseHook, stopsRecovery } from "../hook/name.js";
import { deliverLive } from "../live-event.js";
import { afterHook } from "../phases/after-hook.js";
import { knownPolicy } from "../phases/policy.js";
import { type Run, commitContext, usage } from "../run.js";
import { Spool } from "../spool/folder.js";
import { printable } from "@primacy/contract";

export async function hookCommand(run: Run): Promise<Ending> {
  const word = run.words[0] ?? "";
  const hook = parseHook(word);
  if (hook === undefined) {
    return usage(`"${printable(word)}" is no hook of Orchestrator's: ${HOOKS.join(", ")}`);
  }
  const environment = readHookEnvironment(run.environment, run.flags);
  const names = { ...run.settings.clusterNames, fixed: run.flags["cluster"] };
  const outcome = hookEvent(hook, environment, names);
  if (outcome.kind === "ignored") return { exit: "ok", line: `nothing to write: ${outcome.reason}` };
  if (outcome.kind === "problem") {
    return { exit: "bad-hook-environment", line: `${hook}: ${outcome.problems.join("; ")}` };
  }
  const { cluster, event } = outcome;
  const fields = { cluster, recoveryUid: environment.recoveryUid };
  const ending = await deliverLive(
    { cluster, hook, event },
    {
      spool: new Spool(run.settings.spool.folder, run.settings.spool.limit),
      commit: commitContext(run, false),
      deadline: run.deadline,
    },
  );
  const stopOnFailure = await knownPolicy(run.settings.spool.folder, cluster, ending.stopOnFailure);
  const known = stopOnFailure === undefined ? ending : { ...ending, stopOnFailure };
  const held = await afterHook(run, cluster, event, known);
  return { ...held, fields: { ...fields, ...held.fields } };
}

/**
 * @param stopOnFailure undefined: what the cluster's layout says, where it could be read
 *
 * A Pre hook that fails stops the failover and blocks the next: unless the operator has chosen that, it ends as if all
 * were well, and says that it isn't.
 */
export function letFailoverGoOn(hook: Hook, ending: Ending, stopOnFailure: boolean | undefined): Ending {
  const stop = stopOnFailure ?? ending.stopOnFailure ?? false;
  if (!stopsRecovery(hook) || ending.exit === "ok" || stop) return ending;
  return { ...ending, exit: "ok", line: `${ending.line}; the failover goes on without it (${ending.exit})` };
}
