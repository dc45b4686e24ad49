import { ConsulError, type Roster } from "@primacy/consul-store";
import { type Acknowledgement, type MasterRecord, parseLayout } from "@primacy/contract";
import { describe, expect, it } from "vitest";
import { type ProxiesContext, barrierLine, waitForProxies } from "../src/phases/proxies.js";
import { longestWait } from "../src/phases/wait-time.js";

const fenced = {
  generation: 42,
  incarnation: "33eaeba8",
  phase: "fenced",
  master: { host: "db1", port: 3306 },
  writtenAt: "2026-11-21T09:14:21.000Z",
  deadline: "2026-11-21T09:15:21.000Z",
} as MasterRecord;

function layout(policies: Record<string, unknown>) {
  const parsed = parseLayout({
    cluster: "main",
    hostgroups: { writer: 10 },
    servers: [{ host: "db1" }],
    ...policies,
  });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** A Consul whose acknowledgements change when somebody waits. Time passes only by waiting. */
class Acknowledgements {
  nowMs = 1000;
  reads = 0;
  watches: { index: number; waitMs: number }[] = [];
  /** What each wait brings: proxies that acknowledge meanwhile, or an error. */
  readonly coming: (readonly string[] | Error)[] = [];
  readonly readErrors: (Error | undefined)[] = [];
  readonly controller = new AbortController();
  readonly #at = new Set<string>();

  constructor(readonly proxies: readonly string[]) {}

  readonly context: ProxiesContext = {
    store: {
      environment: { monotonicNow: () => this.nowMs, random: () => 0.5, sleep: () => Promise.resolve() },
      readAcknowledgements: () => {
        this.reads += 1;
        this.nowMs += 1;
        const error = this.readErrors.shift();
        return error === undefined ? Promise.resolve(this.#roster()) : Promise.reject(error);
      },
      watchAcknowledgements: (_cluster, index, { waitMs }) => {
        this.watches.push({ index, waitMs });
        const next = this.coming.shift();
        this.nowMs += next === undefined ? waitMs : 10;
        if (next instanceof Error) return Promise.reject(next);
        for (const proxy of next ?? []) this.#at.add(proxy);
        return Promise.resolve(this.#roster());
      },
    },
    world: {
      random: () => 0.5,
      pause: (ms) => {
        this.nowMs += ms;
        return Promise.resolve();
      },
    },
    signal: this.controller.signal,
  };

  #roster(): Roster {
    const acknowledgements = this.proxies.map((proxy) => ({
      proxy,
      sessionId: "session",
      index: 7,
      document: { kind: "valid" as const, value: this.#acknowledgement(proxy), text: "" },
    }));
    return { acknowledgements, index: 100 + this.reads, sentAtMs: this.nowMs };
  }

  #acknowledgement(proxy: string): Acknowledgement {
    const generation = this.#at.has(proxy) ? 42 : 41;
    return {
      proxy,
      generation,
      incarnation: "33eaeba8",
      state: "applied",
      writers: [],
    } as unknown as Acknowledgement;
  }
}

const wait = (on: Acknowledgements, longestMs = 5000, policies: Record<string, unknown> = {}) =>
  waitForProxies("main", { record: fenced, layout: layout(policies) }, longestMs, on.context);

describe("waiting for the proxies", () => {
  it("ends with the last acknowledgement, by a read that was sent after it", async () => {
    const on = new Acknowledgements(["proxy1", "proxy2"]);
    on.coming.push(["proxy1"], ["proxy2"]);
    const end = await wait(on);
    expect(end.barrier).toMatchObject({ kind: "reached", by: "acknowledgements", acknowledged: 2, of: 2 });
    expect(barrierLine(end)).toBe("2 of 2 proxies at generation 42 in 29 ms");
    // Each wait begins where the last read ended.
    expect(on.watches.map(({ index }) => index)).toEqual([101, 102]);
    expect(on.reads).toBe(3);
  });

  it("gives up at its end, and says who is missing and why", async () => {
    const on = new Acknowledgements(["proxy1", "proxy2"]);
    on.coming.push(["proxy1"]);
    const end = await wait(on, 3000);
    expect(end.barrier.kind).toBe("given-up");
    expect(barrierLine(end)).toMatch(
      /^1 of 2 proxies at generation 42 after 30\d\d ms; missing: proxy2 \(at generation 41\)$/,
    );
  });

  it("under a lease ends with the lease, whoever is silent", async () => {
    const on = new Acknowledgements(["proxy1"]);
    const end = await wait(on, 60_000, { onConsulLoss: "lease", leaseSeconds: 4 });
    expect(end.barrier).toMatchObject({ kind: "reached", by: "lease", acknowledged: 0 });
    expect(barrierLine(end)).toMatch(/; their lease is over: proxy1 \(at generation 41\)$/);
    expect(end.tookMs).toBeGreaterThanOrEqual(4000);
    expect(end.tookMs).toBeLessThan(10_000);
  });

  it("goes on after an error of Consul's, and by what it reads then", async () => {
    const on = new Acknowledgements(["proxy1"]);
    on.coming.push(new ConsulError("CONSUL_UNREACHABLE", "gone"), ["proxy1"]);
    on.readErrors.push(undefined, new ConsulError("CONSUL_NO_LEADER", "no leader"));
    expect((await wait(on)).barrier).toMatchObject({ kind: "reached", acknowledged: 1 });
  });

  it("with a Consul that never answers, nobody is counted", async () => {
    const on = new Acknowledgements(["proxy1"]);
    for (let count = 0; count < 1000; count += 1) {
      on.readErrors.push(new ConsulError("CONSUL_UNREACHABLE", "gone"));
    }
    const end = await wait(on, 2000);
    expect(barrierLine(end)).toMatch(/^0 of 0 proxies at generation 42 after 2\d{3} ms; missing: \*/);
  });

  it("doesn't wait where it may not look", async () => {
    const on = new Acknowledgements(["proxy1"]);
    on.readErrors.push(new ConsulError("CONSUL_DENIED", "Permission denied"));
    const end = await wait(on);
    expect(end.barrier.kind).toBe("given-up");
    expect(barrierLine(end)).toContain("Permission denied");
    expect(on.reads).toBe(1);
  });

  it("ends when the process is told to end", async () => {
    const on = new Acknowledgements(["proxy1"]);
    on.controller.abort();
    expect((await wait(on)).barrier.kind).toBe("given-up");
    expect(on.watches).toEqual([]);
  });
});

describe("how long", () => {
  const nowMs = Date.parse(fenced.writtenAt);
  const draining = { ...fenced, phase: "draining", deadline: "2026-11-21T09:14:31.000Z" } as MasterRecord;

  it("a drain until its deadline and what proxies need then; one that is nearly over not as long", () => {
    expect(longestWait(draining, undefined, nowMs)).toBe(13_000);
    expect(longestWait(draining, undefined, nowMs + 8000)).toBe(5000);
    expect(longestWait(draining, undefined, nowMs + 60_000)).toBe(3000);
    // A clock that is behind the writer's.
    expect(longestWait(draining, undefined, nowMs - 3_600_000)).toBe(13_000);
  });

  it("a fence for its lease, or a bound of its own; an opening not at all", () => {
    const lease = layout({ onConsulLoss: "lease", leaseSeconds: 8 });
    expect(longestWait(fenced, lease, nowMs)).toBeGreaterThan(10_000);
    expect(longestWait(fenced, layout({}), nowMs)).toBe(5000);
    expect(longestWait({ ...fenced, phase: "open" }, lease, nowMs)).toBe(0);
  });
});
