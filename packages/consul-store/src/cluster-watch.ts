// @ts-nocheck
import type { ConsulStore } from "./store.js";
import type { CallOptions, ClusterSnapshot, ClusterWatchOptions, WatchState } from "./types.js";

/* eslint-disable */
/** The two independent paths by which a watcher learns of a change, as a running thing. */
export class ClusterWatch {
  constructor(
    store: Pick<ConsulStore, "readCluster" | "watchCluster" | "environment">,
    cluster: string,
    options: ClusterWatchOptions,
  ) {}
  /** Runs until `signal` is aborted, and resolves then. */
  start(signal: AbortSignal): Promise<void> {
    throw new Error("being written");
  }
  /** One consistent read, now. Its snapshot is also delivered. */
  verifyNow(options: CallOptions = {}): Promise<ClusterSnapshot> {
    throw new Error("being written");
  }
  /** When the newest consistent read that succeeded was sent; null before the first. */
  get lastVerifiedSentAtMs(): number | null {
    return null;
  }
  get state(): WatchState {
    throw new Error("being written");
  }
}
