import {
  type ClusterSnapshot,
  ClusterWatch,
  type ConsulStore,
  type SnapshotSource,
  type WatchState,
} from "@primacy/consul-store";
import { waitUntil } from "@primacy/testkit";

interface Delivery {
  readonly snapshot: ClusterSnapshot;
  readonly source: SnapshotSource;
  readonly wentBack: boolean;
}

/** What a watch has told. */
export interface Seen {
  readonly delivered: Delivery[];
  /** The generations of the delivered records; 0 for none that is valid. */
  readonly generations: number[];
  readonly states: WatchState[];
  verified: number;
}

/** A running cluster watch that writes down what it tells. */
export interface Watching {
  readonly seen: Seen;
  readonly state: WatchState;
  readonly lastVerifiedSentAtMs: number | null;
  readonly watch: ClusterWatch;
  readonly until: (condition: (seen: Seen) => boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export function watching(
  store: ConsulStore,
  cluster: string,
  options: { verifyIntervalMs?: number; waitMs?: number } = {},
): Watching {
  const seen: Seen = { delivered: [], generations: [], states: [], verified: 0 };
  const watch = new ClusterWatch(store, cluster, {
    ...options,
    onSnapshot: (snapshot, source, wentBack) => {
      seen.delivered.push({ snapshot, source, wentBack });
      seen.generations.push(snapshot.record.kind === "valid" ? snapshot.record.value.generation : 0);
    },
    onState: (state) => seen.states.push(state),
    onVerified: () => seen.verified++,
  });
  const stopping = new AbortController();
  const running = watch.start(stopping.signal);
  return {
    seen,
    watch,
    get state() {
      return watch.state;
    },
    get lastVerifiedSentAtMs() {
      return watch.lastVerifiedSentAtMs;
    },
    until: async (condition) => {
      await waitUntil(
        () => {
          if (condition(seen)) return true;
          throw new Error(JSON.stringify({ generations: seen.generations, state: watch.state }));
        },
        { timeoutMs: 60_000, what: `the watch of ${cluster} to see it` },
      );
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
