import type { Callee } from "./world/host.js";
import type { World } from "./world.js";
import type { ProxyMachine } from "./world/machine.js";
import type { Fault, FaultKind } from "./scenario.js";

/** Puts a fault and its end into the world's future. */
export function faultActions(world: World, fault: Fault): void {
  const { engine } = world;
  const machine = world.proxies[fault.proxy]!;
  engine.at(fault.atMs, () => {
    engine.seen.note(`fault ${fault.kind}`);
    engine.tell(
      "fault",
      () => `${fault.kind} ${machine.proxysql.name} for ${(fault.forMs / 1000).toFixed(2)} s`,
    );
    const everybody = fault.kind === "no-leader";
    const touched = everybody ? world.proxies : HARMLESS.has(fault.kind) ? [] : [machine];
    for (const one of touched) one.trouble();
    const end = begin(world, machine, fault);
    engine.after(fault.forMs, () => {
      end();
      for (const one of touched) one.relief();
    });
  });
}

/** These do not keep a proxy from reaching Consul. */
const HARMLESS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "writer-cut-off",
  "admin-hangs",
  "load-ignored",
]);

const nothing = (): void => undefined;

/** Begins a fault; answers what ends it. */
function begin(world: World, machine: ProxyMachine, fault: Fault): () => void {
  const { engine, consul } = world;
  const { random } = engine;
  const { link, process, proxysql } = machine;
  switch (fault.kind) {
    case "cut-off":
      return set(link, "cut");
    case "lossy":
      return set(link, "lossy");
    case "slow":
      return set(link, "slow");
    case "writer-cut-off":
      return set(world.writerLink, random.chance(0.5) ? "cut" : "lossy");
    case "no-leader":
      if (!consul.leads) return nothing;
      consul.loseLeader();
      return () => consul.findLeader();
    case "watcher-stopped":
      process.pause();
      return () => process.resume();
    case "watcher-killed":
      return restartWatcher(machine, () => process.crash(), false);
    case "state-file-lost":
      return restartWatcher(machine, () => process.crash(), true);
    case "watcher-restarted":
      return restartWatcher(machine, () => machine.stopWatcher(), false);
    case "proxysql-restarted":
      if (!proxysql.up) return nothing;
      proxysql.crash();
      if (random.chance(0.15)) machine.loseStamp();
      return () => {
        proxysql.start();
        world.routing.checkRestart(machine);
      };
    case "foreign-load":
      proxysqlIsTold(machine, "load");
      return nothing;
    case "foreign-load-from-disk":
      proxysqlIsTold(machine, "load-from-disk");
      return nothing;
    case "watcher-stopped-in-a-call":
      return atNextCall(machine, random.pick(["read", "write", "proxysql", "proxysql"] as const), () =>
        process.pause(),
      );
    case "watcher-killed-in-a-call":
      return atNextCall(machine, random.pick(["write", "proxysql", "proxysql"] as const), () =>
        process.crash(),
      );
    case "watcher-killed-and-clock-set-back": {
      engine.after(random.between(0, 3000), () => {
        machine.host.jump(-random.between(0, 40_000));
        machine.guard.clockJumped();
      });
      return restartWatcher(machine, () => process.crash(), false);
    }
    case "watcher-stopped-on-a-slow-link":
      return stoppedWhileAsking(world, machine);
    case "watcher-stopped-as-it-opens":
      return stoppedAsItOpens(machine);
    case "disk-stalls-as-it-opens":
      return stalledAsItOpens(world, machine);
    case "admin-hangs":
      proxysql.adminHangsUntilMs = engine.now + fault.forMs;
      machine.answersSinceMs = Number.POSITIVE_INFINITY;
      return () => {
        machine.answersSinceMs = engine.now;
      };
    case "disk-stalls":
      machine.state.stallsUntilMs = engine.now + fault.forMs;
      return nothing;
    case "load-ignored":
      proxysql.ignoresNextLoad = true;
      return nothing;
    case "writes-denied":
      return set(link, "deniesWrites");
    case "reads-lost":
      return set(link, "losesReads");
    case "forgotten-and-deaf":
    case "forgotten-and-cut-off":
      return forgotten(world, machine, fault);
    case "machine-frozen":
      return frozen(world, machine, fault);
    case "wall-clock": {
      const byMs = random.between(0, 20_000);
      machine.host.jump(byMs);
      machine.guard.clockJumped();
      return nothing;
    }
  }
}

/** The session runs out while reads go on; then writes are let through again and nothing can be read, or nothing at all. */
function forgotten({ engine }: World, { link }: ProxyMachine, { kind, forMs }: Fault): () => void {
  const firstMs = forMs - engine.random.between(1000, 9000);
  link.deniesWrites = true;
  engine.after(firstMs, () => {
    link.deniesWrites = false;
    if (kind === "forgotten-and-deaf") link.losesReads = true;
    else link.cut = true;
  });
  return () => {
    link.losesReads = false;
    link.cut = false;
  };
}

const STILL_LAGGING_MS = 3000;

/** All of the machine, and its network comes back later than it does, or its clock. */
function frozen({ engine }: World, { host, link, guard }: ProxyMachine, { forMs }: Fault): () => void {
  const { random } = engine;
  const setAfterMs = random.chance(0.5) ? 0 : random.between(0, 3000);
  host.freeze(forMs * random.between(0.4, 1), setAfterMs, () => guard.clockJumped());
  return set(link, "cut");
}

/** Answers are under way when it is stopped, and are the first that it hears when it goes on. */
function stoppedWhileAsking({ engine }: World, { link, process }: ProxyMachine): () => void {
  link.lagging = true;
  let over = false;
  engine.after(engine.random.between(300, 2500), () => {
    if (!over) process.pause();
  });
  return () => {
    over = true;
    process.resume();
    engine.after(STILL_LAGGING_MS, () => {
      link.lagging = false;
    });
  };
}

/** Somebody takes the writer out; as the watcher is about to put it back, it is stopped. */
function stoppedAsItOpens(machine: ProxyMachine): () => void {
  const end = atNextCall(machine, "opening", () => {
    machine.process.pause();
  });
  proxysqlIsTold(machine, "load-from-disk");
  return end;
}

/** The watcher's disk hangs while a record is taken up, and meanwhile Consul is out of reach for longer than a lease. */
function stalledAsItOpens({ engine, scenario }: World, { link, state }: ProxyMachine): () => void {
  let over = false;
  state.atNextOpening = () => {
    const cutMs = scenario.layout.value.leaseSeconds * 1000 + engine.random.between(200, 2500);
    state.stallsUntilMs = engine.now + cutMs + engine.random.between(500, 5000);
    link.cut = true;
    engine.after(cutMs, () => {
      if (!over) link.cut = false;
    });
  };
  return () => {
    over = true;
    state.atNextOpening = null;
    link.cut = false;
  };
}

/** In the middle of something: between a question and its answer, between two steps of a pass. */
function atNextCall(machine: ProxyMachine, whom: Callee, happens: () => void): () => void {
  const { process } = machine;
  let over = false;
  process.atNextCall[whom] = () => {
    if (!over) happens();
  };
  return () => {
    over = true;
    process.atNextCall[whom] = null;
    if (process.paused) process.resume();
    else if (!process.running) machine.startWatcher();
  };
}

function set<K extends string>(link: Record<K, boolean>, what: K): () => void {
  link[what] = true;
  return () => {
    link[what] = false;
  };
}

function restartWatcher(machine: ProxyMachine, end: () => void, losesState: boolean): () => void {
  const { process, state } = machine;
  if (!process.running) return nothing;
  end();
  if (losesState) {
    state.mark = null;
    machine.noteMemory();
  }
  return () => {
    if (!process.running) machine.startWatcher();
  };
}

function proxysqlIsTold({ proxysql }: ProxyMachine, kind: "load" | "load-from-disk"): void {
  if (proxysql.up) proxysql.execute({ kind }, false);
}
