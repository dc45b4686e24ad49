import { type Layout, layoutText, parseLayout } from "@primacy/contract";
import { Random } from "./world/random.js";
import { CLUSTER, SERVERS, WRITER } from "./world/servers.js";

/** What goes wrong, with whom, and when. True milliseconds. */
export interface Fault {
  readonly kind: FaultKind;
  readonly proxy: number;
  readonly atMs: number;
  readonly forMs: number;
}

export const FAULTS = [
  "cut-off",
  "lossy",
  "slow",
  "writer-cut-off",
  "no-leader",
  "watcher-stopped",
  "watcher-killed",
  "watcher-restarted",
  "proxysql-restarted",
  "foreign-load",
  "foreign-load-from-disk",
  "wall-clock",
  "state-file-lost",
  "watcher-stopped-in-a-call",
  "admin-hangs",
  "disk-stalls",
  "writes-denied",
  "reads-lost",
  "forgotten-and-deaf",
  "forgotten-and-cut-off",
  "load-ignored",
  "watcher-killed-in-a-call",
  "watcher-killed-and-clock-set-back",
  "watcher-stopped-on-a-slow-link",
  "watcher-stopped-as-it-opens",
  "disk-stalls-as-it-opens",
  "machine-frozen",
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** For which a living watcher can't answer: without a guard they do not happen. */
const NEEDS_GUARD: ReadonlySet<FaultKind> = new Set([
  "watcher-stopped",
  "watcher-killed",
  "watcher-restarted",
  "wall-clock",
  "state-file-lost",
  "watcher-stopped-in-a-call",
  "watcher-killed-in-a-call",
  "watcher-killed-and-clock-set-back",
  "watcher-stopped-on-a-slow-link",
  "watcher-stopped-as-it-opens",
  "machine-frozen",
]);

/** Which begin a little before a takeover and outlast it. */
const HIT_BY_A_TAKEOVER: ReadonlySet<FaultKind> = new Set([
  "watcher-stopped-on-a-slow-link",
  "watcher-stopped-as-it-opens",
  "machine-frozen",
]);

/** What a takeover is to be like. */
export interface PlannedTakeover {
  readonly atMs: number;
  /** Are the Pre hooks set up at all? */
  readonly preHooks: boolean;
  readonly graceful: boolean;
  /** It fails, and PostUnsuccessfulFailover comes. */
  readonly fails: boolean;
  /** Orchestrator dies after so many hooks and does nothing any more; null: it lives. */
  readonly diesAfter: number | null;
  /** It dies between the promotion and the hook that says so. */
  readonly losesOpen: boolean;
  /** Hooks that come twice, and some very late. */
  readonly repeats: boolean;
  /** How likely a hook's process is to die in the middle. */
  readonly hookDies: number;
  /** After so long an operator calls it off, if nothing has been promoted by then; null: nobody does. Milliseconds. */
  readonly calledOffAfterMs: number | null;
}

/** One run, as its seed makes it. */
export interface Scenario {
  readonly seed: number;
  readonly layout: { readonly value: Layout; readonly text: string };
  readonly proxies: number;
  /** ProxySQLs that know no server yet. */
  readonly fresh: boolean;
  readonly guard: boolean;
  readonly takeovers: readonly PlannedTakeover[];
  readonly faults: readonly Fault[];
  /** When an operator lets former masters back in. */
  readonly readmitAtMs: readonly number[];
  /** From when on nothing goes wrong any more. True milliseconds. */
  readonly healAtMs: number;
  /**
   * How much longer a proxy may route where its wall clock is set back while its watcher is dead: the guard sleeps for as
   * long, and no longer than a lease and a second, because then it sees that the clock has gone back. Milliseconds.
   */
  readonly clockBackMs: number;
}

/** The latest moment at which anything goes wrong. True milliseconds. */
const HEAL_MS = 36_000;

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed * 7 + 1);
  const lease = random.chance(0.75);
  const guard = !lease || random.chance(0.85);
  const proxies = 1 + random.int(3);
  const layout = layoutOf(random, lease);
  const planned = takeoversOf(random);
  const faults = faultsOf(random, { proxies, lease, guard, takeovers: planned });
  const takeovers = faults.some((fault) => fault.kind === "disk-stalls-as-it-opens")
    ? planned.map((one) => soonCalledOff(one, random))
    : planned;
  const setBack = faults.some((fault) => fault.kind === "watcher-killed-and-clock-set-back");
  return {
    seed,
    layout,
    proxies,
    fresh: random.chance(0.2),
    guard,
    takeovers,
    faults,
    readmitAtMs: random.chance(0.15) ? [random.between(5000, HEAL_MS)] : [],
    healAtMs: healAt(takeovers, faults),
    clockBackMs: setBack ? (layout.value.leaseSeconds + 1) * 1000 : 0,
  };
}

/** Some time after the last takeover has begun, and not before the last fault is over. */
function healAt(takeovers: readonly PlannedTakeover[], faults: readonly Fault[]): number {
  const ends = faults.map((one) => one.atMs + one.forMs);
  return Math.min(HEAL_MS, Math.max(...ends, ...takeovers.map((one) => one.atMs + 3000)));
}

const layouts = new Map<string, Scenario["layout"]>();

/** There are not many: each is parsed once. */
function layoutOf(random: Random, lease: boolean): Scenario["layout"] {
  const chosen = {
    cluster: CLUSTER,
    hostgroups: { writer: WRITER },
    servers: SERVERS,
    drainSeconds: 1 + random.int(4),
    fenceSeconds: 8 + random.int(12),
    onConsulLoss: lease ? "lease" : "keep",
    leaseSeconds: random.pick([4, 4, 6, 8]),
    onFenceFailure: random.chance(0.5) ? "stop" : "continue",
    openedBy: random.chance(0.5) ? "primacy" : "orchestrator",
  };
  const key = JSON.stringify(chosen);
  const known = layouts.get(key);
  if (known !== undefined) return known;
  const parsed = parseLayout(chosen);
  if (!parsed.ok) throw new Error(parsed.problem);
  const layout = { value: parsed.value, text: layoutText(parsed.value) };
  layouts.set(key, layout);
  return layout;
}

function takeoversOf(random: Random): readonly PlannedTakeover[] {
  const count = random.pick([1, 1, 2, 2, 3]);
  let atMs = random.chance(0.3) ? random.between(16_000, 24_000) : random.between(3000, 9000);
  return Array.from({ length: count }, () => {
    const takeover: PlannedTakeover = {
      atMs,
      preHooks: random.chance(0.85),
      graceful: random.chance(0.5),
      fails: random.chance(0.12),
      diesAfter: random.chance(0.15) ? 1 + random.int(2) : null,
      losesOpen: random.chance(0.08),
      repeats: random.chance(0.3),
      hookDies: random.chance(0.15) ? 0.3 : 0,
      calledOffAfterMs: random.chance(0.2) ? random.between(0, 4000) : null,
    };
    atMs += random.between(3000, 14_000);
    return takeover;
  });
}

/** A drain that is over at once leaves sessions behind, on a master that opens again. */
function soonCalledOff(takeover: PlannedTakeover, random: Random): PlannedTakeover {
  if (random.chance(0.5)) return takeover;
  return { ...takeover, preHooks: true, graceful: true, calledOffAfterMs: random.between(20, 1500) };
}

interface Setting {
  readonly proxies: number;
  readonly lease: boolean;
  readonly guard: boolean;
  readonly takeovers: readonly PlannedTakeover[];
}

function faultsOf(random: Random, setting: Setting): readonly Fault[] {
  const kinds = FAULTS.filter((kind) => setting.guard || !NEEDS_GUARD.has(kind));
  const count = random.pick([0, 1, 1, 2, 3, 4, 6]);
  return Array.from({ length: count }, () => faultOf(random, random.pick(kinds), setting));
}

function faultOf(random: Random, kind: FaultKind, setting: Setting): Fault {
  const proxy = random.int(setting.proxies);
  // Half of what goes wrong goes wrong around a takeover: at other times it hardly matters.
  const near = random.pick(setting.takeovers).atMs;
  if (kind === "forgotten-and-deaf" || kind === "forgotten-and-cut-off") {
    // The second half begins after the session has run out, and as a takeover begins.
    const turnMs = near + random.between(-500, 2500);
    const atMs = Math.max(400, turnMs - random.between(15_500, 32_000));
    return { kind, proxy, atMs, forMs: Math.min(turnMs - atMs + random.between(1000, 9000), HEAL_MS - atMs) };
  }
  if (HIT_BY_A_TAKEOVER.has(kind)) {
    // The takeover comes while it is stopped.
    const atMs = Math.max(400, near - random.between(0, 5000));
    return { kind, proxy, atMs, forMs: Math.min(random.between(8000, 20_000), HEAL_MS - atMs) };
  }
  if (kind === "state-file-lost") {
    // It comes back while there is still somebody who shows it the record from before.
    const atMs = Math.min(HEAL_MS - 2000, near + random.between(100, 6000));
    return { kind, proxy, atMs, forMs: random.between(50, 1500) };
  }
  if (kind === "disk-stalls-as-it-opens") {
    // It waits for a record that opens.
    const atMs = Math.max(400, near - random.between(0, 1000));
    return { kind, proxy, atMs, forMs: Math.min(random.between(12_000, 20_000), HEAL_MS - atMs) };
  }
  const atMs = random.chance(0.5)
    ? Math.min(HEAL_MS - 1000, Math.max(500, near + random.between(-4000, 6000)))
    : random.between(500, HEAL_MS - 2000);
  return {
    kind,
    proxy,
    atMs,
    forMs: Math.min(random.between(50, longest(kind, random, setting)), HEAL_MS - atMs),
  };
}

/** Milliseconds. */
function longest(kind: FaultKind, random: Random, { lease }: Setting): number {
  // While the admin port hangs, nothing can fence: a lease is bounded by the time to apply.
  if (kind === "admin-hangs") return lease ? 900 : 8000;
  if (kind === "proxysql-restarted") return 3000;
  if (kind === "disk-stalls" && random.chance(0.5)) return 1200;
  return random.chance(0.3) ? 3000 : 25_000;
}
