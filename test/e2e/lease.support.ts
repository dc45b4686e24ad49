import { writeFile } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { join } from "node:path";
import {
  type GuardForm,
  type ProxySql,
  type WatcherProcess,
  guardVariables,
  proxySqlAccounts,
  startWatcher,
  waitUntil,
} from "@primacy/testkit";
import { expect } from "vitest";
import { type ClusterPlan, type World, onlineIn } from "./world.js";

/** The shortest lease that the layout takes, seconds. */
export const LEASE_SECONDS = 4;

/** A TCP connection between a watcher and Consul that can be cut without either being told. */
export class Link {
  #silent = false;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    private readonly server: Server,
  ) {}

  static async to(address: string): Promise<Link> {
    const { hostname, port } = new URL(address);
    const server = createServer((near) => {
      link.#join(near, connect(Number(port), hostname));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const bound = server.address();
    const link = new Link(typeof bound === "object" && bound !== null ? bound.port : 0, server);
    return link;
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on("data", (chunk) => {
        if (!this.#silent) to.write(chunk);
      });
    }
  }

  /** Nothing gets through any more, and nobody is told. */
  cut(): void {
    this.#silent = true;
  }

  mend(): void {
    this.#silent = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface LeasedProxy {
  readonly proxysql: ProxySql;
  readonly watcher: WatcherProcess;
  readonly link: Link;
}

/** Applies a layout with these policies to a cluster that may have one already. */
export async function applyLayout(world: World, plan: ClusterPlan, policies: object): Promise<void> {
  const { name: cluster, writer, reader, servers } = plan;
  const file = join(world.folder, `${cluster}-policies.json`);
  await writeFile(file, JSON.stringify({ cluster, hostgroups: { writer, reader }, servers, ...policies }));
  const applied = await world.writer("layout", "apply", file, "--yes");
  expect(applied.code, applied.stderr).toBe(0);
}

/** A watcher beside this ProxySQL that reaches Consul through a link, with a guard. */
export async function startLeasedWatcher(
  world: World,
  proxysql: ProxySql,
  cluster: string,
  form: GuardForm,
): Promise<LeasedProxy> {
  const link = await Link.to(world.consulAddress);
  const stateDirectory = join(world.folder, "watcher");
  const watcher = await startWatcher({
    proxy: "proxy1",
    clusters: [cluster],
    admin: { host: "127.0.0.1", port: proxysql.adminPort, ...proxySqlAccounts.admin },
    consul: [`http://127.0.0.1:${link.port}`],
    stateDirectory,
    env: await guardVariables(world.folder, proxysql, form),
  });
  return { proxysql, watcher, link };
}

/** Waits until the runtime's writer hostgroup has these servers ONLINE; answers after how many milliseconds. */
export async function writersBecome(
  proxysql: ProxySql,
  hostgroup: number,
  wanted: readonly string[],
  timeoutMs = 60_000,
): Promise<number> {
  const started = performance.now();
  await waitUntil(
    async () => {
      const online = await onlineIn(proxysql, hostgroup);
      if (online.join() !== wanted.join()) throw new Error(online.join() || "nobody");
      return true;
    },
    { timeoutMs, what: `${wanted.join() || "nobody"} in the writer hostgroup` },
  );
  return performance.now() - started;
}

/** Rows of the writer hostgroup on ProxySQL's disk that a restart would let take writes. */
export async function writersOnDisk(proxysql: ProxySql, hostgroup: number): Promise<string[]> {
  const rows = await proxysql.admin(
    `SELECT hostname, port FROM disk.mysql_servers WHERE hostgroup_id=${hostgroup} AND status<>'OFFLINE_HARD'`,
  );
  return rows.map((row) => `${row["hostname"]}:${row["port"]}`);
}
