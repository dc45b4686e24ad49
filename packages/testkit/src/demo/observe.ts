import type { Fleet } from "../fleet/fleet.js";
import type { MariaDb } from "../servers/mariadb.js";
import type { ProxySql } from "../servers/proxysql.js";
import type { DatabaseView, ProxyView } from "./view.js";

/** Limit of one look at one server. Milliseconds. */
const LOOK_MS = 400;

/** What a demo's one cluster looks like from outside, each part by itself: what does not answer is null. */
export async function observe(fleet: Fleet): Promise<{
  record: string | null;
  databases: DatabaseView[];
  proxies: ProxyView[];
}> {
  const [cluster] = fleet.clusters;
  if (cluster === undefined) throw new Error("the fleet has no cluster");
  const [record, databases, proxies] = await Promise.all([
    recordOf(fleet, cluster.name),
    Promise.all(cluster.databases.map(databaseView)),
    Promise.all(fleet.proxies.map(async (proxysql, index) => proxyView(fleet, proxysql, index))),
  ]);
  return { record, databases, proxies };
}

async function recordOf(fleet: Fleet, cluster: string): Promise<string | null> {
  if (fleet.options.routing !== "primacy") return null;
  const url = `${fleet.options.consul.address}/v1/kv/primacy/clusters/${cluster}/master?raw=true`;
  const record = await orNull(async () => (await fetch(url)).json());
  if (typeof record !== "object" || record === null) return null;
  const { generation, phase, master } = record as {
    generation: number;
    phase: string;
    master: { host: string; port: number };
  };
  return `generation ${String(generation)}, ${phase}, master ${master.host}:${String(master.port)}`;
}

async function databaseView(database: MariaDb): Promise<DatabaseView> {
  const address = database.address;
  const [state] = (await orNull(async () => database.query("SELECT @@read_only AS ro"))) ?? [];
  if (state === undefined) return { address, readOnly: null, replicatesFrom: null, rows: null };
  const status = await orNull(async () => database.replicaStatus());
  const [counted] =
    (await orNull(async () =>
      database.query("SELECT COUNT(*) AS n FROM app.load_rows WHERE server_id = @@server_id"),
    )) ?? [];
  return {
    address,
    readOnly: Number(state["ro"]) === 1,
    replicatesFrom: status ? `${String(status["Master_Host"])}:${String(status["Master_Port"])}` : null,
    rows: counted === undefined ? null : Number(counted["n"]),
  };
}

async function proxyView(fleet: Fleet, proxysql: ProxySql, index: number): Promise<ProxyView> {
  const [cluster] = fleet.clusters;
  const sql =
    "SELECT hostgroup_id, hostname, port FROM runtime_mysql_servers WHERE status='ONLINE' ORDER BY port";
  const rows = await orNull(async () => proxysql.admin(sql));
  const of = (hostgroup: number | undefined): string[] | null =>
    rows
      ?.filter((row) => Number(row["hostgroup_id"]) === hostgroup)
      .map((row) => `${row["hostname"] ?? ""}:${row["port"] ?? ""}`) ?? null;
  const watcher = fleet.watchers[index];
  const readiness = watcher === undefined ? null : await orNull(async () => watcher.readiness());
  return {
    name: `proxy${String(index + 1)}`,
    writers: of(cluster?.writer),
    readers: of(cluster?.reader),
    generation: readiness?.clusters[0]?.generation ?? null,
  };
}

async function orNull<T>(ask: () => Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, LOOK_MS, null);
  });
  try {
    return await Promise.race([ask().catch(() => null), limit]);
  } finally {
    clearTimeout(timer);
  }
}
