import type { Mutation } from "../mutations.js";
import { run } from "../run.js";
import type { Scenario } from "../scenario.js";

/** Replays one run, and says what it was like. True: all promises hold. */
export function replay(
  seed: number,
  steps: boolean,
  mutation: Mutation | null,
  say: (line: string) => void,
): boolean {
  if (mutation !== null) say(`without a guard: ${mutation.name}`);
  const result = run(seed, mutation?.rules, steps ? say : null);
  if (steps) say("");
  describe(result.scenario, say);
  const { violation } = result;
  say(`${String(result.steps)} steps, ${seconds(result.ms)} simulated`);
  if (violation === null) {
    say("all promises hold");
    return true;
  }
  say(`BROKEN ${violation.message}`);
  if (!steps) say(`every step: ${commandFor(seed, mutation)} --steps`);
  return false;
}

/** How a run is seen again. */
export function commandFor(seed: number, mutation: Mutation | null): string {
  const without = mutation === null ? "" : ` --mutation "${mutation.name}"`;
  return `npm run simulate -- --seed ${String(seed)}${without}`;
}

function describe(
  { seed, layout, proxies, fresh, guard, takeovers, readmitAtMs, faults }: Scenario,
  say: (line: string) => void,
): void {
  const { onConsulLoss, leaseSeconds, openedBy, onFenceFailure, drainSeconds, fenceSeconds } = layout.value;
  const lease =
    onConsulLoss === "lease" ? `lease of ${String(leaseSeconds)} s${guard ? "" : ", no guard"}` : "keep";
  say(
    `seed ${String(seed)}: ${String(proxies)} ${proxies === 1 ? "proxy" : "proxies"}${fresh ? " without servers" : ""}, ${lease}, ` +
      `opened by ${openedBy}, a failed fence: ${onFenceFailure}, drain ${String(drainSeconds)} s, fence ${String(fenceSeconds)} s`,
  );
  for (const { atMs, graceful, preHooks, calledOffAfterMs, ...rest } of takeovers) {
    const more = Object.entries(rest).flatMap(([name, value]) =>
      value === false || value === null || value === 0
        ? []
        : [value === true ? name : `${name} ${String(value)}`],
    );
    if (calledOffAfterMs !== null) more.push(`called off after ${seconds(calledOffAfterMs)}`);
    const what = `${graceful ? "takeover" : "failover"}${preHooks ? "" : " without Pre hooks"}`;
    say(`  ${seconds(atMs).padStart(8)} ${[what, ...more].join(", ")}`);
  }
  for (const atMs of readmitAtMs) say(`  ${seconds(atMs).padStart(8)} former masters are let back in`);
  for (const { kind, proxy, atMs, forMs } of faults) {
    say(`  ${seconds(atMs).padStart(8)} ${kind} p${String(proxy + 1)} for ${seconds(forMs)}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
