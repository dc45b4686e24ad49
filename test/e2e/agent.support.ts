import { ConsulStore } from "@primacy/consul-store";
import type { Layout, MasterRecord, Members, Server } from "@primacy/contract";
import { type AgentOptions, type AgentProcess, startAgent, waitUntil } from "@primacy/testkit";
import { layoutOf as sampleLayout, recordOf } from "../../packages/contract/test/samples.js";

const WITHIN = { deadlineMs: 20_000 } as const;

/** What takes its time so that nobody is woken for nothing. */
const QUICK = {
  pollSeconds: 0.2,
  worseAfterSeconds: 0.5,
  betterAfterSeconds: 0.5,
  heldAfterSeconds: 1,
  reportAfterSeconds: 0.5,
};

/** An agent as it is shipped, but for its patience. */
export function startQuickAgent(options: AgentOptions): Promise<AgentProcess> {
  return startAgent({ ...options, settings: { ...QUICK, ...options.settings } });
}

export function layoutOf(servers: readonly Server[], changes: Record<string, unknown> = {}): Layout {
  return sampleLayout({ servers: servers.map(({ host, port }) => ({ host, port })), ...changes });
}

/** Decided long ago, so that no recovery is older. */
export function firstRecord({ host, port }: Server, changes: Partial<MasterRecord> = {}): MasterRecord {
  const longAgo = "2020-01-01T00:00:00.000Z";
  return recordOf({
    generation: 1,
    master: { host, port },
    decidedAt: longAgo,
    writtenAt: longAgo,
    writtenBy: "test",
    ...changes,
  });
}

/** What lies in one Consul about the cluster "main". */
export class ClusterInConsul {
  readonly store: ConsulStore;

  constructor(address: string) {
    this.store = new ConsulStore({ addresses: [address], prefix: "primacy/", requestTimeoutMs: 5000 });
  }

  async begin(record: MasterRecord, layout: Layout): Promise<void> {
    const wrote = [
      await this.store.writeLayout("main", layout, 0, WITHIN),
      await this.store.commitRecord("main", { expectedIndex: 0, record }, WITHIN),
    ];
    if (wrote.some((one) => one.outcome !== "committed")) throw new Error(JSON.stringify(wrote));
  }

  /** As the watcher of a proxy does that has applied the record. */
  async acknowledge(proxy: string): Promise<void> {
    const { cluster, generation, incarnation, phase, master } = await this.record();
    const session = { name: proxy, ttlSeconds: 15, behavior: "delete", lockDelaySeconds: 0 } as const;
    const sessionId = await this.store.createSession(session);
    const said = {
      state: "applied",
      reason: null,
      connectionsInUse: 0,
      tookMs: 1,
      watcher: "0.1.0",
    } as const;
    const seen = { writers: [master], appliedGeneration: generation, at: new Date().toISOString() };
    await this.store.acknowledge(
      cluster,
      proxy,
      { format: 1, proxy, cluster, generation, incarnation, phase, ...said, ...seen },
      { sessionId },
    );
  }

  async record(): Promise<MasterRecord> {
    const { record } = await this.store.readCluster("main", WITHIN);
    if (record.kind !== "valid") throw new Error(JSON.stringify(record));
    return record.value;
  }

  async members(): Promise<Members> {
    const { members } = await this.store.readCluster("main", WITHIN);
    if (members.kind !== "valid") throw new Error(JSON.stringify(members));
    return members.value;
  }

  async membersIndex(): Promise<number> {
    return (await this.store.readCluster("main", WITHIN)).membersIndex;
  }

  waitForGeneration(generation: number, timeoutMs = 90_000): Promise<MasterRecord> {
    return waitUntil(
      async () => {
        const record = await this.record();
        if (record.generation < generation) throw new Error(JSON.stringify(record));
        return record;
      },
      { timeoutMs, intervalMs: 50, what: `generation ${String(generation)}` },
    );
  }

  /** Waits until the members document is as `wanted` says. */
  waitForMembers(wanted: (members: Members) => boolean, what: string, timeoutMs = 90_000): Promise<Members> {
    return waitUntil(
      async () => {
        const members = await this.members();
        if (!wanted(members)) throw new Error(JSON.stringify(members));
        return members;
      },
      { timeoutMs, intervalMs: 50, what },
    );
  }

  close(): void {
    this.store.close();
  }
}

/** The members as text: `3311 master, 3312 replicating …`, by port. */
export function told(members: Members): string {
  return members.servers
    .map((one) => {
      if (one.downtime !== null) return `${String(one.port)} downtimed`;
      if (!one.reachable) return `${String(one.port)} away`;
      if (one.replicating)
        return `${String(one.port)} ${one.followsMaster === false ? "astray" : "replicating"}`;
      return `${String(one.port)} ${one.replicatesFrom === null ? "alone" : "broken"}`;
    })
    .join(", ");
}
