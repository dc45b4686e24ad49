import { ClusterWatch, type ClusterSnapshot, type ConsulStore } from "@primacy/consul-store";
import type { Acknowledgement, MasterRecord } from "@primacy/contract";

/** A watcher without a ProxySQL: it follows a cluster as a watcher does, and acknowledges each record at once. */
export class Acknowledger {
  readonly #store: ConsulStore;
  readonly #cluster: string;
  readonly #proxy: string;
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #last: Promise<void> = Promise.resolve();
  #sessionId = "";

  constructor(store: ConsulStore, cluster: string, proxy: string) {
    this.#store = store;
    this.#cluster = cluster;
    this.#proxy = proxy;
  }

  async start(): Promise<void> {
    this.#sessionId = await this.#store.createSession({
      name: this.#proxy,
      // Nobody renews it, and no measurement takes this long.
      ttlSeconds: 3600,
      behavior: "delete",
      lockDelaySeconds: 0,
    });
    const watch = new ClusterWatch(this.#store, this.#cluster, {
      onSnapshot: (snapshot) => {
        this.#last = this.#last.then(async () => this.#acknowledge(snapshot));
      },
    });
    this.#running = watch.start(this.#ending.signal);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    await this.#last;
  }

  async #acknowledge({ record }: ClusterSnapshot): Promise<void> {
    if (record.kind !== "valid") return;
    const sessionId = this.#sessionId;
    const words = acknowledgementOf(record.value, this.#proxy);
    await this.#store.acknowledge(this.#cluster, this.#proxy, words, { sessionId });
  }
}

/** What the watcher of a proxy says that has taken up this record. */
export function acknowledgementOf(record: MasterRecord, proxy: string): Acknowledgement {
  return {
    format: 1,
    proxy,
    cluster: record.cluster,
    generation: record.generation,
    incarnation: record.incarnation,
    phase: record.phase,
    state: record.phase === "draining" ? "drained" : "applied",
    appliedGeneration: record.generation,
    writers: record.phase === "open" ? [record.master] : [],
    connectionsInUse: 0,
    at: new Date().toISOString(),
    tookMs: 0,
    reason: null,
    watcher: "benchmark",
  };
}
