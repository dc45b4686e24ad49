import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Server } from "@primacy/contract";
import { packageRoot } from "../package-root.js";

/** Name and servers of one of many clusters, all alike. The first server is the master. */
export interface RecordedCluster {
  readonly name: string;
  readonly servers: readonly Server[];
}

/** `count` clusters of three servers each. */
export function recordedClusters(count: number): RecordedCluster[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `c${String(index + 1).padStart(5, "0")}`;
    return { name, servers: [3311, 3312, 3313].map((port) => ({ host: `${name}.example`, port })) };
  });
}

/** An Orchestrator that answers for many healthy clusters what a real 3.2.6 was recorded to answer for one. */
export class RecordedOrchestrator {
  readonly #server = createServer((request, response) => {
    const { status, body } = this.#answer(request.url ?? "/");
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body);
  });
  readonly #lists: ReadonlyMap<string, string>;
  readonly #first: string;
  #rounds = 0;

  private constructor(clusters: readonly RecordedCluster[]) {
    const list = recorded("cluster_alias_main");
    const listOf = (name: string): string =>
      list
        .replaceAll("127.0.0.1", `${name}.example`)
        .replaceAll('"SuggestedClusterAlias":"main"', `"SuggestedClusterAlias":"${name}"`);
    this.#lists = new Map(clusters.map(({ name }) => [name, listOf(name)]));
    this.#first = clusters[0]?.name ?? "";
  }

  static async start(clusters: readonly RecordedCluster[]): Promise<RecordedOrchestrator> {
    const one = new RecordedOrchestrator(clusters);
    await new Promise<void>((resolve) => one.#server.listen(0, "127.0.0.1", resolve));
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** How often the first cluster was asked for: rounds that have begun. */
  get rounds(): number {
    return this.#rounds;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(url: string): { status: number; body: string } {
    if (url === "/api/leader-check") return { status: 200, body: '"OK"' };
    const [, call = "", name = ""] = /^\/api\/(cluster|audit-recovery)\/alias\/([^/]+)$/.exec(url) ?? [];
    const list = this.#lists.get(name);
    if (list === undefined) return { status: 404, body: "404 page not found" };
    if (call === "audit-recovery") return { status: 200, body: "[]" };
    if (name === this.#first) this.#rounds += 1;
    return { status: 200, body: list };
  }
}

function recorded(name: string): string {
  const file = `../../test/fixtures/orchestrator-api/healthy/${name}.json`;
  return JSON.stringify(JSON.parse(readFileSync(join(packageRoot(), file), "utf8")));
}
