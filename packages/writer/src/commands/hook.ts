import type { Ending } from "../ending.js";
import { readHookEnvironment } from "../hook/environment.js";
import { hookEvent } from "../hook/event.js";
import { type Hook, HOOKS, parseHook, stopsRecovery } from "../hook/name.js";
import { deliverLive } from "../live-event.js";
import { type Run, commitContext, usage } from "../run.js";
import { Spool } from "../spool/folder.js";
import { printable } from "@primacy/contract";

/** A disk that does not answer would hold Orchestrator's recovery for ever: it has no time limit for a hook. */
const DISK_PATIENCE_MS = 3000;

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
  const live = deliverLive(
    { cluster, hook, event },
    {
      spool: new Spool(run.settings.spool.folder, run.settings.spool.limit),
      commit: commitContext(run, false),
      deadline: run.deadline,
    },
  );
  const ending = await Promise.race([live, hangingDisk(run, cluster)]);
  return { ...ending, fields: { ...fields, ...ending.fields } };
}

async function hangingDisk(run: Run, cluster: string): Promise<Ending> {
  await run.world.pause(Math.max(0, run.deadline - run.world.elapsed()) + DISK_PATIENCE_MS);
  return { exit: "undelivered", line: `${cluster}: the spool ${run.settings.spool.folder} does not answer` };
}

/**
 * A Pre hook that fails stops the failover and blocks the next: unless the operator has chosen that, it ends as if all
 * were well, and says that it isn't.
 */
export function letFailoverGoOn(hook: Hook, ending: Ending, stopOnFailure: boolean): Ending {
  if (!stopsRecovery(hook) || ending.exit === "ok" || stopOnFailure) return ending;
  return { ...ending, exit: "ok", line: `${ending.line}; the failover goes on without it (${ending.exit})` };
}
