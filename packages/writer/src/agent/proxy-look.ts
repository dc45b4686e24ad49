import { type ClusterSnapshot, ConsulError, type ConsulStore } from "@primacy/consul-store";
import type { Logger } from "pino";
import type { World } from "../world.js";
import type { AgentMetrics } from "./metrics.js";
import { proxiesOf } from "./proxies.js";

export interface ProxyLookParts {
  readonly store: Pick<ConsulStore, "readAcknowledgements">;
  readonly world: World;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  readonly deadlineMs: number;
}

/** While a change is under way the proxies are looked at in every pass. Milliseconds. */
const LOOK_EVERY_MS = 5000;
/** Proxies take up a record in milliseconds; those that don't within this time are looked at as often as any. */
const RECENT_MS = 30_000;

/** Which proxies have followed, for the metrics. What goes wrong here stops nothing. */
export class ProxyLook {
  #atMs = Number.NEGATIVE_INFINITY;
  #behind = false;
  #problem = "";

  constructor(private readonly parts: ProxyLookParts) {}

  async look({ cluster, record }: ClusterSnapshot, signal: AbortSignal): Promise<void> {
    const { store, world, metrics, deadlineMs } = this.parts;
    if (record.kind !== "valid") return;
    const recent = world.now() - Date.parse(record.value.writtenAt) < RECENT_MS;
    if (!recent && !this.#behind && world.elapsed() - this.#atMs < LOOK_EVERY_MS) return;
    this.#atMs = world.elapsed();
    try {
      const roster = await store.readAcknowledgements(cluster, { deadlineMs, signal });
      const proxies = proxiesOf(record.value, roster);
      this.#behind = proxies.some((one) => one.behind !== null);
      metrics.noteProxies(cluster, proxies);
      this.#problem = "";
    } catch (error) {
      if (!(error instanceof ConsulError)) throw error;
      if (signal.aborted || error.message === this.#problem) return;
      this.#problem = error.message;
      metrics.noteError(error.code);
      this.parts.log.warn({ err: error }, "which proxies follow is not known");
    }
  }
}
