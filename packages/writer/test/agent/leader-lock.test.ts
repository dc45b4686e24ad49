import type { HeldLock, LockOutcome } from "@primacy/consul-store";
import { ConsulError } from "@primacy/consul-store";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LeaderLock } from "../../src/agent/leader-lock.js";
import { LEAD_AT_MOST_MS, TAKE_OVER_AFTER_MS, readHeartbeat } from "../../src/agent/leadership.js";
import { TestWorld } from "./memory-consul.js";

/** A Consul that has one lock: sessions end only when they are destroyed, as within their TTL. */
class LockConsul {
  readonly sessions = new Set<string>();
  lock: HeldLock | null = null;
  #ids = 0;
  #index = 0;

  /** As one agent sees it: it may be cut off. */
  from(place: { cut: boolean; losesAnswers?: boolean }) {
    const call = <T>(effect: () => T): Promise<T> =>
      place.cut
        ? Promise.reject(new ConsulError("CONSUL_UNREACHABLE", "cut off"))
        : Promise.resolve(effect());
    return {
      createSession: () => call(() => this.#newSession()),
      renewSession: (id: string) => call(() => this.sessions.has(id)),
      destroySession: (id: string) => call(() => this.#destroy(id)),
      readLock: () => call(() => this.lock),
      acquireLock: async (_key: string, value: string, id: string) => {
        const outcome = await call(() => this.#acquire(value, id));
        if (place.losesAnswers === true) throw new ConsulError("CONSUL_TIMEOUT", "no answer");
        return outcome;
      },
    };
  }

  #newSession(): string {
    const id = `session-${String(++this.#ids)}`;
    this.sessions.add(id);
    return id;
  }

  #destroy(id: string): void {
    this.sessions.delete(id);
    if (this.lock?.sessionId === id) this.lock = { ...this.lock, sessionId: null, index: ++this.#index };
  }

  #acquire(value: string, id: string): LockOutcome {
    if (!this.sessions.has(id)) return "session-gone";
    if (this.lock?.sessionId != null && this.lock.sessionId !== id) return "held-elsewhere";
    this.lock = { value, sessionId: id, index: ++this.#index };
    return "acquired";
  }
}

class FakeClockWorld extends TestWorld {
  override elapsed = (): number => performance.now();
  override now = (): number => Date.now();
}

interface Member {
  readonly lock: LeaderLock;
  readonly place: { cut: boolean; losesAnswers?: boolean };
  readonly abort: AbortController;
  readonly changes: boolean[];
  readonly ended: Promise<void>;
}

let consul: LockConsul;
const members: Member[] = [];

function join(agent: string, place: Member["place"] = { cut: false }): Member {
  const changes: boolean[] = [];
  const lock = new LeaderLock({
    store: consul.from(place),
    agent,
    version: "0.1.0",
    world: new FakeClockWorld(0),
    log: pino({ level: "silent" }),
    tells: () => ({ clusters: 2, held: 1 }),
    onChange: (leads) => changes.push(leads),
  });
  const abort = new AbortController();
  const member = { lock, place, abort, changes, ended: lock.run(abort.signal) };
  members.push(member);
  return member;
}

const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-21T10:00:00.000Z") });
  consul = new LockConsul();
});
afterEach(async () => {
  for (const { abort } of members) abort.abort();
  await later(10_000);
  await Promise.all(members.splice(0).map((one) => one.ended));
  vi.useRealTimers();
});

describe("the lock of the leader", () => {
  test("is taken by the first, and its heartbeat tells who and how much", async () => {
    const first = join("orc1");
    await later(100);
    expect(first.lock.leads).toBe(true);
    expect(first.changes).toEqual([true]);
    const beat = readHeartbeat(consul.lock?.value ?? null);
    expect(beat).toMatchObject({ agent: "orc1", clusters: 2, held: 1, since: "2026-11-21T10:00:00.000Z" });
    await later(60_000);
    const newest = readHeartbeat(consul.lock?.value ?? null);
    expect(newest?.since).toBe(beat?.since);
    expect(Date.parse(newest?.at ?? "")).toBeGreaterThan(Date.parse("2026-11-21T10:00:55.000Z"));
  });

  test("is never held by two, in an hour of both being well", async () => {
    const [first, second] = [join("orc1"), join("orc2")];
    for (let second60 = 0; second60 < 60; second60++) {
      await later(60_000);
      expect([first.lock.leads, second.lock.leads].filter(Boolean)).toHaveLength(1);
    }
    expect([...first.changes, ...second.changes]).toEqual([true]);
    expect(second.lock.leader).toBe("orc1");
  });

  test("given up, goes to the next at its next look", async () => {
    const [first, second] = [join("orc1"), join("orc2")];
    await later(5000);
    first.abort.abort();
    await later(3000);
    expect([first.lock.leads, second.lock.leads]).toEqual([false, true]);
    expect(consul.sessions.size).toBe(1);
  });

  test("of an agent that is cut off from Consul: it stops first, then another begins", async () => {
    const [first, second] = [join("orc1"), join("orc2")];
    await later(5000);
    first.place.cut = true;
    let both = 0;
    let stoppedAt = 0;
    let beganAt = 0;
    for (let ms = 0; ms < 20_000 && beganAt === 0; ms += 50) {
      await later(50);
      if (first.lock.leads && second.lock.leads) both++;
      if (!first.lock.leads && stoppedAt === 0) stoppedAt = ms;
      if (second.lock.leads) beganAt = ms;
    }
    expect(both).toBe(0);
    expect(stoppedAt).toBeLessThanOrEqual(LEAD_AT_MOST_MS + 50);
    expect(beganAt).toBeLessThanOrEqual(TAKE_OVER_AFTER_MS + 2500);
    expect(first.changes).toEqual([true, false]);
    first.place.cut = false;
    await later(10_000);
    expect([first.lock.leads, second.lock.leads, first.lock.leader]).toEqual([false, true, "orc2"]);
  });

  test("survives a cut that is shorter than a lease", async () => {
    const [first, second] = [join("orc1"), join("orc2")];
    await later(5000);
    first.place.cut = true;
    await later(2000);
    first.place.cut = false;
    await later(20_000);
    expect([first.changes, second.changes]).toEqual([[true], []]);
  });

  test("whose session was ended from outside is taken anew by somebody, and held by one", async () => {
    const [first, second] = [join("orc1"), join("orc2")];
    await later(5000);
    const held = consul.lock?.sessionId ?? "";
    await consul.from({ cut: false }).destroySession(held);
    await later(10_000);
    expect([first.lock.leads, second.lock.leads].filter(Boolean)).toHaveLength(1);
    expect(consul.sessions.has(held)).toBe(false);
  });

  test("that was taken without an answer is known again at the next look", async () => {
    const first = join("orc1", { cut: false, losesAnswers: true });
    await later(1000);
    expect(consul.lock?.sessionId).not.toBeNull();
    expect(first.lock.leads).toBe(false);
    first.place.losesAnswers = false;
    await later(2500);
    expect(first.lock.leads).toBe(true);
  });

  test("of a Consul that is away for all: nobody leads, and somebody does when it is back", async () => {
    const [first, second] = [join("orc1"), join("orc2")];
    await later(5000);
    [first.place.cut, second.place.cut] = [true, true];
    await later(LEAD_AT_MOST_MS + 1000);
    expect([first.lock.leads, second.lock.leads]).toEqual([false, false]);
    expect(first.lock.silentMs).toBeGreaterThan(LEAD_AT_MOST_MS - 2500);
    expect([first.lock.problem, second.lock.problem]).toEqual(["cut off", "cut off"]);
    [first.place.cut, second.place.cut] = [false, false];
    await later(15_000);
    expect([first.lock.problem, second.lock.problem]).toEqual([null, null]);
    expect([first.lock.leads, second.lock.leads].filter(Boolean)).toHaveLength(1);
  });
});
