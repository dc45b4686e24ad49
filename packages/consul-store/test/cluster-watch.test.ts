import { readRecord, recordText } from "@primacy/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { ClusterWatch, type WatchedStore } from "../src/cluster-watch.js";
import { ConsulError, type ConsulErrorCode } from "../src/errors.js";
import type { ClusterSnapshot, ClusterWatchOptions, HoldReason, WatchState } from "../src/types.js";
import { record } from "./support/documents.js";
import { VirtualTime } from "./support/virtual-time.js";

const TEXTS = Array.from({ length: 20 }, (_, generation) => recordText(record("main", generation + 1)));

function snapshot(generation: number, index = generation * 10, sentAtMs = 0): ClusterSnapshot {
  const text = generation === 0 ? null : (TEXTS[generation - 1] ?? "");
  return {
    cluster: "main",
    record: readRecord(text),
    recordText: text,
    recordIndex: generation === 0 ? 0 : index,
    layout: { kind: "absent" },
    layoutIndex: 0,
    members: { kind: "absent" },
    membersIndex: 0,
    index: Math.max(1, index),
    sentAtMs,
    folderEmpty: generation === 0,
    filteredByAcls: false,
    address: "a",
  };
}

const error = (code: ConsulErrorCode): ConsulError => new ConsulError(code, `problem: ${code}`);

type Call = { readonly at: number; readonly index: number };

class FakeStore implements WatchedStore {
  readonly environment: VirtualTime;
  readonly reads: number[] = [];
  readonly watches: Call[] = [];
  read: () => Promise<ClusterSnapshot> = () => Promise.resolve(snapshot(1, 10, this.environment.now));
  /** By default as quiet as Consul: nothing changes, and the wait runs out. */
  watch: (index: number, waitMs: number, signal?: AbortSignal) => Promise<ClusterSnapshot> = async (
    index,
    waitMs,
    signal,
  ) => {
    if (index > 0) await this.environment.sleep(waitMs, signal);
    if (signal?.aborted === true) throw error("CONSUL_ABORTED");
    return snapshot(1);
  };

  constructor(environment: VirtualTime) {
    this.environment = environment;
  }

  readCluster(): Promise<ClusterSnapshot> {
    this.reads.push(this.environment.now);
    return this.read();
  }

  watchCluster(
    _: string,
    index: number,
    options: { waitMs: number; signal?: AbortSignal | undefined },
  ): Promise<ClusterSnapshot> {
    this.watches.push({ at: this.environment.now, index });
    // Virtual time stands still for whoever asks without a pause.
    if (this.watches.length > 5000) throw new RangeError("a loop without a pause");
    return this.watch(index, options.waitMs, options.signal);
  }
}

describe("a cluster watch", () => {
  let time: VirtualTime;
  let store: FakeStore;
  let stop: AbortController;
  let seen: string[];
  let states: WatchState[];

  beforeEach(() => {
    time = new VirtualTime();
    store = new FakeStore(time);
    stop = new AbortController();
    seen = [];
    states = [];
  });
  const watchWith = (options: Partial<ClusterWatchOptions> = {}): ClusterWatch =>
    new ClusterWatch(store, "main", {
      onSnapshot: ({ record: document }, source, wentBack) => {
        const what = document.kind === "valid" ? String(document.value.generation) : document.kind;
        seen.push(`${what} by ${source}${wentBack ? ", went back" : ""}`);
      },
      onState: (state) => states.push(state),
      ...options,
    });
  const ended = async (running: Promise<void>): Promise<void> => {
    stop.abort();
    await time.advance(0);
    await running;
  };

  it("delivers the first answer once, though both paths give it", async () => {
    const running = watchWith().start(stop.signal);
    await time.advance(60_000);
    expect(seen).toEqual(["1 by truth"]);
    await ended(running);
  });

  it("verifies every few seconds, a quarter more or less, however quiet it is", async () => {
    const running = watchWith({ verifyIntervalMs: 4000 }).start(stop.signal);
    time.chance = 0;
    await time.advance(9000);
    expect(store.reads).toEqual([0, 3000, 6000, 9000]);
    time.chance = 0.999_999;
    await time.advance(3000 + 5000);
    expect(store.reads).toEqual([0, 3000, 6000, 9000, 12_000, 17_000]);
    await ended(running);
  });

  it("goes on from the index of the last answer, from 0 after a lower one and after an error", async () => {
    const answers = [
      snapshot(1, 10),
      snapshot(1, 12),
      snapshot(1, 5),
      snapshot(1, 6),
      error("CONSUL_TIMEOUT"),
      snapshot(1, 7),
    ];
    store.watch = async (_, __, signal) => {
      await time.sleep(1000, signal);
      const next = answers.shift() ?? snapshot(1, 7);
      if (next instanceof ConsulError) throw next;
      return next;
    };
    const running = watchWith().start(stop.signal);
    await time.advance(10_000);
    expect(store.watches.slice(0, 7).map(({ index }) => index)).toEqual([0, 10, 12, 0, 6, 0, 7]);
    await ended(running);
  });

  it("asks no more than ten times a second after a first burst, though Consul answers at once", async () => {
    let index = 10;
    store.watch = () => Promise.resolve(snapshot(1, index++));
    const running = watchWith().start(stop.signal);
    await time.advance(10_000);
    // A burst of eight, and then one every 100 ms.
    expect(store.watches).toHaveLength(8 + 100);
    await ended(running);
  });

  it("asks ever more rarely while the folder is empty, but within a few seconds", async () => {
    store.read = () => Promise.resolve(snapshot(0));
    store.watch = () => Promise.resolve(snapshot(0, 10));
    const running = watchWith().start(stop.signal);
    await time.advance(60_000);
    const last = store.watches.slice(-10).map(({ at }) => at);
    for (let call = 1; call < last.length; call++) {
      expect((last[call] ?? 0) - (last[call - 1] ?? 0)).toBe(1500);
    }
    await ended(running);
  });

  it("backs off after errors, to three seconds at most, and at once forgets them after an answer", async () => {
    store.watch = () => Promise.reject(error("CONSUL_UNREACHABLE"));
    store.read = () => Promise.reject(error("CONSUL_UNREACHABLE"));
    time.chance = 0.999_999;
    const running = watchWith().start(stop.signal);
    await time.advance(120_000);
    for (const times of [store.reads, store.watches.map(({ at }) => at)]) {
      const pauses = times.map((at, index) => at - (times[index - 1] ?? 0)).slice(1);
      expect(Math.max(...pauses)).toBe(3000);
      expect(pauses.slice(0, 4)).toEqual([200, 400, 800, 1600]);
    }
    store.read = () => Promise.resolve(snapshot(1, 10, time.now));
    await time.advance(3000);
    store.read = () => Promise.reject(error("CONSUL_UNREACHABLE"));
    const before = store.reads.length;
    await time.advance(8000);
    expect(store.reads.length - before).toBeGreaterThan(3);
    await ended(running);
  });

  it("verifies at once what looks older on the wake-up path, and delivers only what the truth says", async () => {
    store.read = () => Promise.resolve(snapshot(5, 50, time.now));
    const running = watchWith({ verifyIntervalMs: 600_000 }).start(stop.signal);
    store.watch = async (_, waitMs, signal) => {
      await time.sleep(store.watches.length === 1 ? 1000 : waitMs, signal);
      return snapshot(3, 60);
    };
    await time.advance(1500);
    expect(store.reads).toEqual([0, 1000]);
    expect(seen).toEqual(["5 by truth"]);
    store.read = () => Promise.resolve(snapshot(3, 60, time.now));
    await time.advance(60_000);
    expect(seen).toEqual(["5 by truth", "3 by truth, went back"]);
    await ended(running);
  });

  it("reads again where a truth that was asked for before the last delivery looks older", async () => {
    let answerOld: (answer: ClusterSnapshot) => void = () => undefined;
    store.read = () =>
      new Promise((resolve) => {
        answerOld = resolve;
      });
    store.watch = async (index, waitMs, signal) => {
      await time.sleep(index === 0 ? 100 : waitMs, signal);
      return snapshot(2, 20);
    };
    const running = watchWith({ verifyIntervalMs: 600_000 }).start(stop.signal);
    await time.advance(200);
    expect(seen).toEqual(["2 by wake-up"]);
    store.read = () => Promise.resolve(snapshot(2, 20, time.now));
    answerOld(snapshot(1, 10, 0));
    await time.advance(200);
    expect(store.reads.length).toBe(2);
    expect(seen).toEqual(["2 by wake-up"]);
    await ended(running);
  });

  it("knows since when it is verified: when the read was sent, and never back", async () => {
    const verified: number[] = [];
    const watch = watchWith({ onVerified: ({ sentAtMs }) => verified.push(sentAtMs) });
    expect(watch.lastVerifiedSentAtMs).toBeNull();
    time.now = 500;
    store.read = async () => {
      await time.sleep(300);
      return snapshot(1, 10, 500);
    };
    const reading = watch.verifyNow();
    await time.advance(300);
    await reading;
    expect(watch.lastVerifiedSentAtMs).toBe(500);
    store.read = () => Promise.resolve(snapshot(1, 10, 400));
    await watch.verifyNow();
    expect(watch.lastVerifiedSentAtMs).toBe(500);
    store.read = () => Promise.reject(error("CONSUL_TIMEOUT"));
    await expect(watch.verifyNow()).rejects.toMatchObject({ code: "CONSUL_TIMEOUT" });
    expect(watch.lastVerifiedSentAtMs).toBe(500);
    expect(verified).toEqual([500, 400]);
    expect(watch.state.truth).toMatchObject({ kind: "holding", reason: "unreachable" });
  });

  it.each<[ConsulErrorCode, HoldReason]>([
    ["CONSUL_DENIED", "denied"],
    ["CONSUL_NO_LEADER", "no-leader"],
    ["CONSUL_SERVER_ERROR", "no-leader"],
    ["CONSUL_TIMEOUT", "unreachable"],
    ["CONSUL_TLS", "unreachable"],
    ["CONSUL_CONFIGURATION", "unreachable"],
    ["CONSUL_RATE_LIMITED", "unexpected-answer"],
    ["CONSUL_UNEXPECTED_ANSWER", "unexpected-answer"],
  ])("holds after %s because of %s, and says so once", async (code, reason) => {
    const watch = watchWith({ verifyIntervalMs: 1000 });
    const running = watch.start(stop.signal);
    await time.advance(1);
    expect(watch.state).toEqual({ truth: { kind: "following" }, wakeUp: { kind: "following" } });
    states.length = 0;
    store.read = () => Promise.reject(error(code));
    await time.advance(20_000);
    expect(states).toHaveLength(1);
    expect(watch.state.truth).toEqual({
      kind: "holding",
      reason,
      problem: `problem: ${code}`,
      sinceMs: 1000,
    });
    store.read = () => Promise.resolve(snapshot(1, 10, time.now));
    await time.advance(3000);
    expect(states).toHaveLength(2);
    expect(watch.state.truth).toEqual({ kind: "following" });
    await ended(running);
  });

  it("holds for an absent record, and delivers that it is", async () => {
    store.read = () => Promise.resolve(snapshot(0));
    store.watch = async (_, waitMs, signal) => {
      await time.sleep(waitMs, signal);
      return snapshot(0);
    };
    const watch = watchWith();
    expect(watch.state.truth).toMatchObject({ kind: "holding", reason: "starting" });
    const running = watch.start(stop.signal);
    await time.advance(1);
    expect(watch.state.truth).toMatchObject({ kind: "holding", reason: "absent" });
    expect(seen).toEqual(["absent by truth"]);
    await ended(running);
  });

  it("ends when told to, with both calls given up, and does nothing afterwards", async () => {
    const given: (AbortSignal | undefined)[] = [];
    store.watch = async (_, waitMs, signal) => {
      given.push(signal);
      await time.sleep(waitMs, signal);
      throw error("CONSUL_ABORTED");
    };
    const running = watchWith().start(stop.signal);
    await time.advance(1);
    await ended(running);
    expect(given.at(-1)?.aborted).toBe(true);
    const calls = store.reads.length + store.watches.length;
    await time.advance(600_000);
    expect(store.reads.length + store.watches.length).toBe(calls);
    expect(states.some(({ wakeUp }) => wakeUp.kind === "holding" && wakeUp.reason === "unreachable")).toBe(
      false,
    );
    await watchWith().start(stop.signal);
    expect(store.reads.length + store.watches.length).toBe(calls);
  });

  it("ends with the error of a callback that throws, on both paths", async () => {
    const running = watchWith({
      onSnapshot: () => {
        throw new TypeError("a bug of the caller");
      },
    }).start(stop.signal);
    const failure = running.catch((thrown: unknown) => String(thrown));
    await time.advance(1);
    expect(await failure).toContain("a bug of the caller");
    const calls = store.reads.length + store.watches.length;
    await time.advance(600_000);
    expect(store.reads.length + store.watches.length).toBe(calls);
  });
});
