import { type Delivered, delivered, judge } from "./delivery.js";
import { type ConsulError, asConsulError, holdReason } from "./errors.js";
import { Pace, backoff, jitter, nextIndex } from "./retry.js";
import type { ConsulStore } from "./store.js";
import type {
  CallOptions,
  ClusterSnapshot,
  ClusterWatchOptions,
  Environment,
  PathState,
  SnapshotSource,
  WatchState,
} from "./types.js";

/** What a {@link ClusterWatch} needs of a store. */
export type WatchedStore = Pick<ConsulStore, "readCluster" | "watchCluster" | "environment">;

const DEFAULT_VERIFY_INTERVAL_MS = 5000;
const DEFAULT_WAIT_MS = 30_000;
/** At least this long from one call of a path to its next, on average. */
const FLOOR_MS = 100;
/** So many calls may follow each other at once: one takeover makes several records within a tenth of a second. */
const BURST = { truth: 2, wakeUp: 8 } as const;

/**
 * The two independent paths by which a watcher learns of a change, as a running thing.
 *
 * - Wake-up: blocking queries, one after another. Fast, and able to show the past.
 * - Truth: consistent reads, every few seconds and whenever the wake-up path shows something that looks older.
 *
 * Neither waits for the other. After any failure a path goes on at the next agent, with full-jitter back-off of 3 s
 * at most.
 */
export class ClusterWatch {
  readonly #store: WatchedStore;
  readonly #environment: Environment;
  readonly #cluster: string;
  readonly #options: ClusterWatchOptions;
  #state: WatchState;
  #delivered: Delivered | null = null;
  #lastVerifiedSentAtMs: number | null = null;
  /** Ends the truth path's pause. */
  #hurry = new AbortController();

  constructor(store: WatchedStore, cluster: string, options: ClusterWatchOptions) {
    this.#store = store;
    this.#environment = store.environment;
    this.#cluster = cluster;
    this.#options = options;
    const starting: PathState = {
      kind: "holding",
      reason: "starting",
      problem: "Consul has not answered yet",
      sinceMs: store.environment.monotonicNow(),
    };
    this.#state = { truth: starting, wakeUp: starting };
  }

  /** When the newest consistent read that succeeded was sent; null before the first. */
  get lastVerifiedSentAtMs(): number | null {
    return this.#lastVerifiedSentAtMs;
  }

  get state(): WatchState {
    return this.#state;
  }

  /** Runs until `signal` is aborted, and resolves then. Rejects only when a callback throws. */
  async start(signal: AbortSignal): Promise<void> {
    const stopping = new AbortController();
    const stop = (): void => {
      stopping.abort();
      this.#hurry.abort();
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    const paths = [this.#truthPath(stopping.signal), this.#wakeUpPath(stopping.signal)];
    try {
      await Promise.all(paths);
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
      await Promise.allSettled(paths);
    }
  }

  /** One consistent read, now. What it shows is delivered like that of the truth path. @throws {ConsulError} */
  async verifyNow(options: CallOptions = {}): Promise<ClusterSnapshot> {
    let snapshot: ClusterSnapshot;
    try {
      snapshot = await this.#store.readCluster(this.#cluster, options);
    } catch (error) {
      this.#failed("truth", asConsulError(error));
      throw error;
    }
    this.#lastVerifiedSentAtMs = Math.max(this.#lastVerifiedSentAtMs ?? 0, snapshot.sentAtMs);
    this.#answered("truth", snapshot);
    this.#deliver(snapshot, "truth");
    this.#options.onVerified?.(snapshot);
    return snapshot;
  }

  async #truthPath(signal: AbortSignal): Promise<void> {
    const { verifyIntervalMs = DEFAULT_VERIFY_INTERVAL_MS } = this.#options;
    const { random, sleep } = this.#environment;
    const pace = new Pace(FLOOR_MS, BURST.truth);
    let failures = 0;
    while (!signal.aborted) {
      await this.#turn(pace, signal);
      // Before the read: what is asked for while it is under way wants another one.
      this.#hurry = new AbortController();
      if (signal.aborted) return;
      failures = (await this.#tryToVerify(signal)) ? 0 : failures + 1;
      const pauseMs =
        failures === 0
          ? jitter(verifyIntervalMs, random())
          : Math.min(verifyIntervalMs, backoff(failures, random()));
      await sleep(pauseMs, this.#hurry.signal);
    }
  }

  async #tryToVerify(signal: AbortSignal): Promise<boolean> {
    try {
      await this.verifyNow({ signal });
      return true;
    } catch (error) {
      asConsulError(error);
      return false;
    }
  }

  async #wakeUpPath(signal: AbortSignal): Promise<void> {
    const { waitMs = DEFAULT_WAIT_MS } = this.#options;
    const { random, sleep } = this.#environment;
    const pace = new Pace(FLOOR_MS, BURST.wakeUp);
    let index = 0;
    let idle = 0;
    while (!signal.aborted) {
      await this.#turn(pace, signal);
      const snapshot = await this.#wakeUpCall(index, jitter(waitMs, random()), signal);
      index = nextIndex(index, snapshot?.index ?? null);
      // A denied folder answers at once, and an empty one at every write to Consul (1.8.7).
      idle = snapshot === null || snapshot.folderEmpty ? idle + 1 : 0;
      if (idle > 0) await sleep(backoff(idle, random()), signal);
    }
  }

  async #wakeUpCall(index: number, waitMs: number, signal: AbortSignal): Promise<ClusterSnapshot | null> {
    let snapshot: ClusterSnapshot;
    try {
      snapshot = await this.#store.watchCluster(this.#cluster, index, { waitMs, signal });
    } catch (error) {
      this.#failed("wakeUp", asConsulError(error));
      return null;
    }
    this.#answered("wakeUp", snapshot);
    this.#deliver(snapshot, "wake-up");
    return snapshot;
  }

  #deliver(snapshot: ClusterSnapshot, source: SnapshotSource): void {
    const judgement = judge(this.#delivered, snapshot, source);
    if (judgement === "verify" || judgement === "outdated") this.#hurry.abort();
    if (judgement !== "deliver" && judgement !== "went-back") return;
    this.#delivered = delivered(this.#delivered, snapshot, this.#environment.monotonicNow());
    this.#options.onSnapshot(snapshot, source, judgement === "went-back");
  }

  async #turn(pace: Pace, signal: AbortSignal): Promise<void> {
    const waitMs = pace.take(this.#environment.monotonicNow());
    if (waitMs > 0) await this.#environment.sleep(waitMs, signal);
  }

  #answered(path: keyof WatchState, snapshot: ClusterSnapshot): void {
    if (snapshot.record.kind !== "absent") {
      this.#changeState(path, { kind: "following" });
      return;
    }
    const problem = snapshot.folderEmpty
      ? `Consul has nothing of cluster ${this.#cluster}`
      : `Consul has no record of cluster ${this.#cluster}`;
    this.#hold(path, "absent", problem);
  }

  #failed(path: keyof WatchState, error: ConsulError): void {
    if (error.code !== "CONSUL_ABORTED") this.#hold(path, holdReason(error.code), error.message);
  }

  #hold(
    path: keyof WatchState,
    reason: Extract<PathState, { kind: "holding" }>["reason"],
    problem: string,
  ): void {
    const before = this.#state[path];
    const held = before.kind === "holding" && before.reason !== "starting";
    const sinceMs = held ? before.sinceMs : this.#environment.monotonicNow();
    this.#changeState(path, { kind: "holding", reason, problem, sinceMs });
  }

  #changeState(path: keyof WatchState, next: PathState): void {
    const before = this.#state[path];
    this.#state = { ...this.#state, [path]: next };
    const reasonOf = (state: PathState): string => (state.kind === "holding" ? state.reason : "");
    if (reasonOf(before) !== reasonOf(next)) this.#options.onState?.(this.#state);
  }
}
