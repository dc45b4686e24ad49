import { type Layout, type Server, layoutServer, recoveryBeganAt } from "@primacy/contract";
import type { Recovery } from "../../../packages/writer/src/agent/orchestrator/recovery.js";
import type { ClusterView, SeenServer } from "../../../packages/writer/src/agent/view.js";
import type { Process } from "../world/host.js";
import { CLUSTER } from "../world/servers.js";
import { type Check, type Databases, check } from "./databases.js";

const POLL_MS = 5000;

/** Orchestrator as its API tells of it: the servers as it saw them up to five seconds ago, and the audit of recoveries. */
export class OrchestratorView {
  readonly #audit = new Map<string, Recovery>();
  #checks: readonly Check[] = [];

  constructor(
    private readonly process: Process,
    private readonly databases: Databases,
    private readonly layout: Layout,
  ) {}

  start(): void {
    this.#checks = check(this.databases, this.#checks, this.process.host);
    this.process.after(POLL_MS, () => {
      this.start();
    });
  }

  /** A recovery begins; answers its UID. */
  register(failed: Server): string {
    const { host, engine } = this.process;
    const uid = `${String(host.wallNow())}000000:${String(engine.nextId()).padStart(8, "0")}`;
    this.#audit.set(uid, {
      uid,
      beganAt: recoveryBeganAt(uid),
      analysis: "DeadMaster",
      failed,
      successor: null,
      successful: false,
      ended: false,
      acknowledged: false,
      clusterAlias: CLUSTER,
      clusterName: "",
    });
    return uid;
  }

  /** It has ended: with a successor, or without. */
  end(uid: string, successor: Server | null): void {
    const recovery = this.#audit.get(uid);
    if (recovery === undefined) return;
    this.#audit.set(uid, { ...recovery, successor, successful: successor !== null, ended: true });
  }

  look(): ClusterView {
    return {
      servers: this.#checks.map((one) => this.#seen(one)),
      missing: [],
      recoveries: [...this.#audit.values()],
      aliasKnown: true,
    };
  }

  #seen({ server, alive, readOnly, source, answeredAtMs }: Check): SeenServer {
    const thread = alive && source !== null ? "running" : "stopped";
    return {
      server,
      known: layoutServer(this.layout, server),
      listed: true,
      checkValid: alive,
      recentlyChecked: true,
      readOnly,
      source,
      detached: false,
      coMaster: false,
      ioThread: thread,
      sqlThread: thread,
      lagSeconds: source === null ? null : 0,
      clusterName: CLUSTER,
      suggestedAlias: CLUSTER,
      downtime: null,
      errantGtid: null,
      lastSeenAt: null,
      answeredAtMs,
    };
  }
}
