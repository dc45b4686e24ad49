import { createHash, randomUUID } from "node:crypto";
import type { ConsulStore } from "@primacy/consul-store";
import { type MasterRecord, type Server, parseLayout, transition } from "@primacy/contract";
import type { WatcherProcess } from "../primacy/watcher.js";
import type { ProxySql } from "../servers/proxysql.js";
import { waitUntil } from "../wait-until.js";

const CLUSTER = "bench";
const WRITER = 10;
export const SERVERS: readonly Server[] = [3311, 3312, 3313].map((port) => ({ host: "127.0.0.1", port }));

/** What one change took, in milliseconds from the moment the commit was acknowledged by Consul. */
export interface Change {
  /** Until every runtime that was looked at named the new master; null where none was looked at. */
  readonly switchedMs: number | null;
  /** Until the last acknowledgement of this generation was readable in Consul. */
  readonly acknowledgedMs: number;
  /** What each watcher says: from seeing the record to the verified runtime. */
  readonly watchersMs: readonly number[];
}

/** A bootstrapped cluster of which nothing exists but the record: proxies switch all the same. */
export async function bootstrapCluster(
  store: ConsulStore,
  cluster = CLUSTER,
  servers = SERVERS,
): Promise<MasterRecord> {
  const layout = parseLayout({ cluster, hostgroups: { writer: WRITER, reader: 20 }, servers });
  if (!layout.ok) throw new Error(layout.problem);
  await store.writeLayout(cluster, layout.value, 0, { deadlineMs: 10_000 });
  return await commit(store, cluster, null, servers[0] as Server);
}

/** Commits a new master, and waits until every proxy has switched and acknowledged. */
export async function change(
  store: ConsulStore,
  successor: Server,
  looked: readonly ProxySql[],
  watchers: readonly WatcherProcess[],
): Promise<Change> {
  const record = await commit(store, CLUSTER, await current(store), successor);
  const committed = performance.now();
  const switched = Promise.all(looked.map(async (one) => hasSwitched(one, successor)));
  const acknowledged = allAcknowledged(store, record.generation, watchers.length);
  const [times, acks] = await Promise.all([switched, acknowledged]);
  return {
    switchedMs: times.length === 0 ? null : Math.max(...times) - committed,
    acknowledgedMs: acks.at - committed,
    watchersMs: acks.tookMs,
  };
}

async function current(store: ConsulStore): Promise<{ value: MasterRecord; text: string; index: number }> {
  const { record, recordIndex } = await store.readCluster(CLUSTER, { deadlineMs: 5000 });
  if (record.kind !== "valid") throw new Error(`the record is ${record.kind}`);
  return { value: record.value, text: record.text, index: recordIndex };
}

async function commit(
  store: ConsulStore,
  cluster: string,
  before: { value: MasterRecord; text: string; index: number } | null,
  master: Server,
): Promise<MasterRecord> {
  const cause = { kind: "operator", failureType: "", recoveryUid: "", command: "" } as const;
  const event =
    before === null
      ? ({ kind: "bootstrap", master, cause, beganAt: null } as const)
      : ({ kind: "set", master, seenGeneration: before.value.generation, cause, beganAt: null } as const);
  const decision = transition(before, event, {
    cluster,
    now: new Date().toISOString(),
    writtenBy: "benchmark",
    writeId: randomUUID(),
    newIncarnation: randomUUID(),
    drainSeconds: 10,
    fenceSeconds: 60,
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  });
  if (decision.kind !== "write") throw new Error(decision.reason);
  const outcome = await store.commitRecord(
    cluster,
    { expectedIndex: before?.index ?? 0, record: decision.record },
    { deadlineMs: 5000 },
  );
  if (outcome.outcome !== "committed") throw new Error(`the commit ended ${outcome.outcome}`);
  return decision.record;
}

/** When the runtime of this ProxySQL named the new master and nobody else. */
async function hasSwitched(proxysql: ProxySql, master: Server): Promise<number> {
  const sql = `SELECT port FROM runtime_mysql_servers WHERE hostgroup_id=${String(WRITER)} AND status='ONLINE'`;
  await waitUntil(
    async () => (await proxysql.admin(sql)).map((row) => row["port"]).join() === String(master.port),
    { timeoutMs: 30_000, intervalMs: 1, what: "the runtime to switch" },
  );
  return performance.now();
}

async function allAcknowledged(
  store: ConsulStore,
  generation: number,
  proxies: number,
): Promise<{ at: number; tookMs: number[] }> {
  let roster = await store.readAcknowledgements(CLUSTER, { deadlineMs: 5000 });
  for (;;) {
    const said = roster.acknowledgements
      .map(({ document }) => document)
      .flatMap((document) => (document.kind === "valid" ? [document.value] : []))
      .filter((one) => one.generation === generation && one.state === "applied");
    if (said.length === proxies) {
      return {
        at: performance.now(),
        tookMs: said.flatMap((one) => (one.tookMs === null ? [] : [one.tookMs])),
      };
    }
    roster = await store.watchAcknowledgements(CLUSTER, roster.index, { waitMs: 10_000 });
  }
}

export const BENCH_CLUSTER = CLUSTER;
