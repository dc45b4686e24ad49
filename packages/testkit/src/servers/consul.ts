import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, startOnFreePorts } from "../ports.js";
import { removeFolder } from "../remove-folder.js";
import { waitUntil } from "../wait-until.js";
import type { ConsulPorts } from "./consul-config.js";
import { ConsulServer } from "./consul-server.js";
import { requireServer } from "./found.js";

/** How to start Consul. */
export interface ConsulOptions {
  /** One server, or three of which one may be lost (default 1). */
  servers?: 1 | 3;
  /** ACLs: nothing is allowed without a token (default false). */
  acl?: boolean;
  /** Factor of raft's time-outs (default 1; Consul's own default is 5). */
  raftMultiplier?: number;
  /** Lower limit of session TTLs, such as "1s" (default: Consul's own 10s). */
  sessionTtlMin?: string;
  /** An address of this machine, beside 127.0.0.1, on which the servers answer clients. */
  alsoAt?: string;
}

/**
 * Starts real Consul servers on 127.0.0.1 and waits until each answers from a leader.
 *
 * @throws when no Consul is installed, or there is no leader within 60 s.
 */
export async function startConsul(options: ConsulOptions = {}): Promise<Consul> {
  const { path } = requireServer("consul");
  const token = options.acl === true ? randomUUID() : undefined;
  return startOnFreePorts(async () => {
    const folder = await mkdtemp(join(tmpdir(), "primacy-consul-"));
    return new Consul(await makeServers(path, folder, options, token), token, folder);
  });
}

/** A Consul cluster of one or three servers. */
export class Consul {
  readonly servers: readonly ConsulServer[];
  /** The token that may do everything, where ACLs are on. */
  readonly token: string | undefined;
  readonly #folder: string;

  constructor(servers: readonly ConsulServer[], token: string | undefined, folder: string) {
    this.servers = servers;
    this.token = token;
    this.#folder = folder;
  }

  /** The address of the first server, "http://127.0.0.1:port". */
  get httpAddr(): string {
    return this.#first.httpAddr;
  }

  get httpAddrs(): string[] {
    return this.servers.map((server) => server.httpAddr);
  }

  /** The addresses of all servers at `alsoAt`, for clients that are elsewhere. */
  get httpAddrsElsewhere(): string[] {
    return this.servers.flatMap(({ httpAddrElsewhere }) => httpAddrElsewhere ?? []);
  }

  /** Starts all servers on their data (again) and waits for a leader. */
  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
    await this.waitReady();
  }

  /** Waits until every one of `servers` answers from a leader. */
  async waitReady(servers = this.servers, timeoutMs = 60_000): Promise<void> {
    await Promise.all(
      servers.map((server) =>
        waitUntil(() => server.isReady(), {
          timeoutMs,
          intervalMs: 50,
          what: `consul ${server.nodeName} to be ready`,
        }),
      ),
    );
  }

  /** The server that leads now, as `asked` sees it; while there is an election, the next one. */
  async leader(asked: ConsulServer = this.#first): Promise<ConsulServer> {
    return waitUntil(() => this.#leaderBy(asked), { timeoutMs: 60_000, what: "a leader of Consul" });
  }

  /** Makes a token with these rules (Consul's policy language) and answers its secret. Needs `acl`. */
  async createToken(rules: string): Promise<string> {
    const name = `rules-${randomUUID()}`;
    await this.#put("/v1/acl/policy", { Name: name, Rules: rules });
    const made = await this.#put("/v1/acl/token", { Policies: [{ Name: name }] });
    return String((JSON.parse(made) as { SecretID: unknown }).SecretID);
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Removes all data of servers that are stopped: what starts afterwards is a new cluster. */
  async wipe(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.wipe()));
  }

  /** Kills all servers and removes their data. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill9()));
    await removeFolder(this.#folder);
  }

  get #first(): ConsulServer {
    const [first] = this.servers;
    if (!first) throw new Error("a Consul cluster has at least one server");
    return first;
  }

  async #leaderBy(asked: ConsulServer): Promise<ConsulServer> {
    const status = JSON.parse((await asked.request("GET", "/v1/status/leader")).body) as string;
    const peers = JSON.parse((await asked.request("GET", "/v1/catalog/service/consul")).body) as Peer[];
    const peer = peers.find((each) => `${each.Address}:${each.ServicePort}` === status);
    const leader = this.servers.find((server) => server.nodeName === peer?.Node);
    if (!leader)
      throw new Error(`no server of this cluster leads: ${asked.nodeName} says ${status || "nobody"}`);
    return leader;
  }

  async #put(path: string, body: unknown): Promise<string> {
    const answer = await this.#first.request("PUT", path, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`PUT ${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  }
}

interface Peer {
  Node: string;
  Address: string;
  ServicePort: number;
}

async function makeServers(
  program: string,
  folder: string,
  options: ConsulOptions,
  token: string | undefined,
): Promise<ConsulServer[]> {
  const count = options.servers ?? 1;
  const ports = await Promise.all(Array.from({ length: count }, consulPorts));
  const serfPorts = ports.map((each) => each.serfLan);
  const gossipKey = randomBytes(32).toString("base64");
  return ports.map((each, index) => {
    const nodeName = `consul${index + 1}`;
    return new ConsulServer(program, {
      nodeName,
      dataDir: join(folder, nodeName),
      ports: each,
      serfPorts,
      gossipKey,
      raftMultiplier: options.raftMultiplier ?? 1,
      sessionTtlMin: options.sessionTtlMin,
      token,
      alsoAt: options.alsoAt,
    });
  });
}

async function consulPorts(): Promise<ConsulPorts> {
  const [http = 0, server = 0, serfLan = 0] = await freePorts(3);
  return { http, server, serfLan };
}
