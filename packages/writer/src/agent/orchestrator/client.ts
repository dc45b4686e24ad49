import { type Layout, type Server, formatServer, includesServer } from "@primacy/contract";
import type * as z from "zod";
import { type Answers, clusterView, type ClusterView } from "../view.js";
import { readAnswer } from "./answer.js";
import { OrchestratorError } from "./error.js";
import { HttpGetter, type TlsSettings } from "./http-get.js";
import { type Instance, instanceSchema, instancesSchema, readInstance } from "./instance.js";
import { readRecovery, recoveriesSchema } from "./recovery.js";

export interface OrchestratorOptions {
  /** Nodes, each with its URLPrefix and without `/api`. */
  readonly urls: readonly string[];
  /** `v2` is ProxySQL's fork's; the nodes' leader is asked for by v1 there too. */
  readonly api: "v1" | "v2";
  /** `user:password` for HTTP basic authentication. */
  readonly basicAuth: string | undefined;
  /** Orchestrator's own `public:secret` access token, or a bearer token of a proxy in front. */
  readonly token: string | undefined;
  readonly tls: TlsSettings;
  /** Of one request. Milliseconds. */
  readonly timeoutMs: number;
}

export interface ClientClocks {
  readonly monotonicNow: () => number;
  readonly wallNow: () => number;
}

const ROUTES = {
  v1: {
    cluster: (alias: string) => `api/cluster/alias/${alias}`,
    instance: (host: string, port: number) => `api/instance/${host}/${String(port)}`,
    recoveries: (alias: string) => `api/audit-recovery/alias/${alias}`,
  },
  v2: {
    cluster: (alias: string) => `api/v2/clusters/${alias}/instances`,
    instance: (host: string, port: number) => `api/v2/instances/${host}/${String(port)}`,
    recoveries: (alias: string) => `api/v2/recoveries?alias=${alias}`,
  },
} as const;

/** A node that led so lately is not asked again whether it leads. Milliseconds. */
const LEADER_FRESH_MS = 900;

/**
 * Orchestrator's nodes as one. Only the leader is believed: a follower that has lost it answers from its own database,
 * which lacks the downtimes of the last recovery (3.2.6, go/http/raft_reverse_proxy.go).
 */
export class OrchestratorClient {
  readonly #options: OrchestratorOptions;
  readonly #clocks: ClientClocks;
  readonly #getter: HttpGetter;
  #leader: string | null = null;
  #leaderCheckedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<string> | null = null;

  constructor(options: OrchestratorOptions, clocks: ClientClocks) {
    this.#options = options;
    this.#clocks = clocks;
    this.#getter = new HttpGetter(options.tls, authHeaders(options));
  }

  /** The node that is asked at present; null before the first and after a failure. */
  get leader(): string | null {
    return this.#leader;
  }

  /**
   * Everything about one cluster: its list, the layout's servers that the list lacks, its recoveries.
   *
   * @throws {OrchestratorError} where any part is missing: half a view would be a wrong one
   */
  async readCluster(alias: string, layout: Layout, signal: AbortSignal): Promise<ClusterView> {
    const leader = await this.findLeader(signal);
    const routes = ROUTES[this.#options.api];
    const name = encodeURIComponent(alias);
    const [listed, recoveries] = await Promise.all([
      this.#list(leader, routes.cluster(name), signal),
      this.#get(leader, routes.recoveries(name), recoveriesSchema, signal),
    ]);
    const askedFor = await this.#lacking(leader, listed ?? [], layout, signal);
    const answers: Answers = {
      listed,
      askedFor,
      recoveries: recoveries.flatMap((one) => readRecovery(one) ?? []),
    };
    return clusterView(answers, layout);
  }

  /** The node that leads. One look serves all clusters that ask at once. @throws {OrchestratorError} */
  findLeader(signal: AbortSignal): Promise<string> {
    const fresh = this.#clocks.monotonicNow() - this.#leaderCheckedAtMs < LEADER_FRESH_MS;
    if (fresh && this.#leader !== null) return Promise.resolve(this.#leader);
    this.#looking ??= this.#lookForLeader(signal).finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  close(): void {
    this.#getter.close();
  }

  async #lookForLeader(signal: AbortSignal): Promise<string> {
    const before = this.#leader;
    this.#leader = null;
    const askedAtMs = this.#clocks.monotonicNow();
    const nodes = this.#options.urls;
    const found =
      (before !== null && (await this.#check(before, "api/leader-check", signal)) === true
        ? before
        : undefined) ??
      (await this.#firstThatLeads("api/leader-check", signal)) ??
      // One address for all nodes (a load balancer), or only followers within reach: they pass requests on.
      (await this.#firstThatLeads("api/routed-leader-check", signal));
    if (found === undefined) {
      const said = await Promise.all(nodes.map((node) => this.#check(node, "api/leader-check", signal)));
      const why = said.map((answer, index) => `${nodes[index] ?? ""}: ${answer === true ? "leads" : answer}`);
      throw new OrchestratorError("ORCHESTRATOR_NO_LEADER", `no Orchestrator leads: ${why.join("; ")}`);
    }
    this.#leader = found;
    this.#leaderCheckedAtMs = askedAtMs;
    return found;
  }

  async #firstThatLeads(path: string, signal: AbortSignal): Promise<string | undefined> {
    const nodes = this.#options.urls;
    const answers = await Promise.all(nodes.map((node) => this.#check(node, path, signal)));
    return nodes.find((_, index) => answers[index] === true);
  }

  /** True, or why not. */
  async #check(node: string, path: string, signal: AbortSignal): Promise<true | string> {
    try {
      const { timeoutMs } = this.#options;
      const { status, text } = await this.#getter.get(`${node}/${path}`, { timeoutMs, signal });
      if (status === 401 || status === 403) return "denies the login";
      // A page of something else that answers 200 to everything is no leader.
      return status === 200 && /^\s*"?OK"?\s*$/.test(text) ? true : `does not lead (${String(status)})`;
    } catch (error) {
      if (error instanceof OrchestratorError) return error.message;
      throw error;
    }
  }

  /** Null where Orchestrator knows no cluster of the alias. */
  async #list(leader: string, path: string, signal: AbortSignal): Promise<readonly Instance[] | null> {
    const askedAtMs = this.#clocks.wallNow();
    try {
      const raw = await this.#get(leader, path, instancesSchema, signal);
      return raw.flatMap((one) => readInstance(one, askedAtMs) ?? []);
    } catch (error) {
      // v1: 500 "No cluster found for alias …"; v2: 404 "Cluster not found: …". A fork may put its name before it.
      if (isAnswer(error, /no cluster found for alias|cluster not found/i)) return null;
      throw error;
    }
  }

  async #lacking(
    leader: string,
    listed: readonly Instance[],
    layout: Layout,
    signal: AbortSignal,
  ): Promise<readonly Instance[]> {
    const names = listed.map((one) => one.name);
    const lacking = layout.servers.filter(
      (server) => ![server, ...server.alsoKnownAs].some((name) => includesServer(names, name)),
    );
    const found = await Promise.all(
      lacking
        .flatMap((server) => [server, ...server.alsoKnownAs])
        .map((name) => this.#instance(leader, name, signal)),
    );
    return found.filter((one) => one !== undefined);
  }

  /** Undefined where Orchestrator doesn't know it. */
  async #instance(leader: string, server: Server, signal: AbortSignal): Promise<Instance | undefined> {
    const path = ROUTES[this.#options.api].instance(encodeURIComponent(server.host), server.port);
    const askedAtMs = this.#clocks.wallNow();
    try {
      const raw = await this.#get(leader, path, instanceSchema, signal);
      const instance = readInstance(raw, askedAtMs);
      // Orchestrator resolves what it is asked for, and then may answer for another server.
      return instance !== undefined && formatServer(instance.name) === formatServer(server)
        ? instance
        : undefined;
    } catch (error) {
      if (isAnswer(error, /cannot read instance|instance not found|cannot resolve instance|unresolved/i))
        return undefined;
      throw error;
    }
  }

  async #get<T>(node: string, path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const url = `${node}/${path}`;
    try {
      const answer = await this.#getter.get(url, { timeoutMs: this.#options.timeoutMs, signal });
      return readAnswer(url, answer, schema);
    } catch (error) {
      // Whoever leads is looked for anew after any failure but an answer of Orchestrator's own.
      if (!isAnswer(error, /./)) this.#leaderCheckedAtMs = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }
}

function isAnswer(error: unknown, text: RegExp): boolean {
  return (
    error instanceof OrchestratorError && error.code === "ORCHESTRATOR_ERROR" && text.test(error.message)
  );
}

function authHeaders({ basicAuth, token }: OrchestratorOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  if (basicAuth !== undefined) {
    headers["authorization"] = `Basic ${Buffer.from(basicAuth, "utf8").toString("base64")}`;
  }
  if (token === undefined) return headers;
  // Orchestrator reads its token from a cookie (go/http/httpbase.go, 3.2.6); a proxy in front reads a bearer token.
  headers["cookie"] = `access-token=${encodeURIComponent(token).replaceAll("%3A", ":")}`;
  headers["authorization"] ??= `Bearer ${token}`;
  return headers;
}
