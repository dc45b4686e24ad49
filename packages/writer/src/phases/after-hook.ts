import type { HookEvent } from "@primacy/contract";
import type { Ending, Standing } from "../ending.js";
import { deliverLive } from "../live-event.js";
import { type Run, commitContext, freshDeadline, phaseMeans } from "../run.js";
import { Spool } from "../spool/folder.js";
import { type PhaseReport, type Takeover, holdDrain, holdFence, waitForAll } from "./hold.js";

/**
 * What a hook does once its event stands: a drain or a fence is held until the proxies have followed and the old master
 * is silent. An opening is only waited for where somebody asks for it.
 */
export async function afterHook(
  run: Run,
  cluster: string,
  event: HookEvent,
  ending: Ending,
): Promise<Ending> {
  const { standing } = ending;
  if (standing === undefined) return ending;
  const report = await hold(run, takeoverOf(cluster, event, standing), event.kind);
  if (report === undefined) return ending;
  const { complete, lines, notes, fields } = report;
  const ended: Ending = {
    ...ending,
    exit: complete ? ending.exit : "incomplete",
    line: [ending.line, ...lines].join("; "),
    notes: [...(ending.notes ?? []), ...notes],
    fields: { ...ending.fields, ...fields },
  };
  const stop = run.settings.stopOnFailure ?? ending.stopOnFailure ?? false;
  return stop && !complete && isPre(event) ? await takeBack(run, cluster, event, ended) : ended;
}

type PreEvent = Extract<HookEvent, { kind: "drain" | "fence" }>;

function isPre(event: HookEvent): event is PreEvent {
  return event.kind === "drain" || event.kind === "fence";
}

async function hold(run: Run, takeover: Takeover, kind: HookEvent["kind"]): Promise<PhaseReport | undefined> {
  const means = phaseMeans(run);
  const { phase } = takeover.record;
  if (kind === "drain" && phase === "draining") return await holdDrain(takeover, means);
  if (kind === "fence" && phase === "fenced") return await holdFence(takeover, means);
  return means.waitMs === undefined || means.waitMs === 0 ? undefined : await waitForAll(takeover, means);
}

function takeoverOf(cluster: string, event: HookEvent, { record, layout }: Standing): Takeover {
  return {
    cluster,
    record,
    layout,
    outgoing: event.outgoing,
    successor: event.kind === "drain" ? event.successor : record.successor,
    planned: event.kind === "drain" || event.cause.command.startsWith("graceful-master-takeover"),
  };
}

/**
 * The exit code will stop the takeover, and no other hook will come (Orchestrator 3.2.6, go/logic/topology_recovery.go):
 * so whoever stops it must also end it, or leave that in the spool.
 */
async function takeBack(run: Run, cluster: string, event: PreEvent, ending: Ending): Promise<Ending> {
  const { outgoing, beganAt } = event;
  const cause = { ...event.cause, kind: "failover-failed" } as const;
  const hook = event.kind === "drain" ? "PreGracefulTakeover" : "PreFailover";
  const { folder, limit } = run.settings.spool;
  const taken = await deliverLive(
    { cluster, hook, event: { kind: "abort", outgoing, beganAt, cause } },
    {
      spool: new Spool(folder, limit),
      commit: commitContext(run, false),
      deadline: freshDeadline(run),
    },
  );
  return {
    ...ending,
    line: `${ending.line}; stopped, so taken back: ${taken.line}`,
    notes: [...(ending.notes ?? []), ...(taken.notes ?? [])],
  };
}
