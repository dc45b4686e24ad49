import * as z from "zod";
import { type Parsed, printable } from "@primacy/contract";
import { errorText } from "./errors.js";

/** Answers above this size are not read: clusters have hundreds of servers, not a million. Bytes. */
const LARGEST_ANSWER = 32 * 1024 * 1024;

/**
 * A server as Orchestrator tells of it (3.2.6, go/inst/instance.go). Lenient: fields come and go between forks, and
 * only these matter. `ReadOnly` is what the last check that succeeded saw, so it says nothing without
 * `IsLastCheckValid`.
 */
const instanceSchema = z.object({
  Key: z.object({ Hostname: z.string(), Port: z.number() }),
  ReadOnly: z.boolean(),
  IsLastCheckValid: z.boolean(),
  IsRecentlyChecked: z.boolean(),
  IsDowntimed: z.boolean(),
  ReplicationDepth: z.number(),
  IsCoMaster: z.boolean(),
  SuggestedClusterAlias: z.string().default(""),
});
export type OrchestratorInstance = z.infer<typeof instanceSchema>;

/** Empty lists come as `null` from some calls. */
const instancesSchema = z
  .array(instanceSchema)
  .nullable()
  .transform((list) => list ?? []);

export interface OrchestratorAccess {
  /** Address with Orchestrator's URLPrefix, without `/api`. Of several nodes, separated by commas, the leader is asked. */
  readonly url: string;
  /** `user:password` for HTTP basic authentication. */
  readonly auth: string | undefined;
  readonly timeoutMs: number;
}

/** What Orchestrator says of a cluster, from three calls. */
export interface ClusterView {
  /** /api/cluster/alias/:alias: every server of the cluster. */
  readonly instances: readonly OrchestratorInstance[];
  /** /api/master/:alias */
  readonly master: OrchestratorInstance;
  /** /api/masters: of every cluster; also a dead or returned master, as a cluster of its own. */
  readonly masters: readonly OrchestratorInstance[];
}

/** Asks Orchestrator. A problem is one sentence and never contains the password. */
export async function readClusterView(
  access: OrchestratorAccess,
  alias: string,
): Promise<Parsed<ClusterView>> {
  const base = await nodeOf(access);
  if (!base.ok) return base;
  const name = encodeURIComponent(alias);
  const get = <T>(path: string, schema: z.ZodType<T>) => getJson(`${base.value}/api/${path}`, access, schema);
  const [instances, master, masters] = await Promise.all([
    get(`cluster/alias/${name}`, instancesSchema),
    get(`master/${name}`, instanceSchema),
    get("masters", instancesSchema),
  ]);
  if (!instances.ok) return instances;
  if (!master.ok) return master;
  if (!masters.ok) return masters;
  return { ok: true, value: { instances: instances.value, master: master.value, masters: masters.value } };
}

/** A node that does not lead may answer from an old database (3.2.6, go/http/raft_reverse_proxy.go). */
async function nodeOf(access: OrchestratorAccess): Promise<Parsed<string>> {
  const nodes = access.url
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map(checkUrl);
  const [only, second] = nodes;
  const wrong = nodes.find((node) => !node.ok);
  if (only === undefined || wrong !== undefined || second === undefined) return wrong ?? only ?? checkUrl("");
  const bases = nodes.flatMap((node) => (node.ok ? [node.value] : []));
  const said = await Promise.all(
    bases.map((base) => getJson(`${base}/api/leader-check`, access, z.literal("OK"))),
  );
  const leader = bases.find((_, index) => said[index]?.ok);
  if (leader !== undefined) return { ok: true, value: leader };
  const why = said.map((answer) => (answer.ok ? "" : answer.problem)).join("; ");
  return { ok: false, problem: `no Orchestrator leads: ${why}` };
}

function checkUrl(text: string): Parsed<string> {
  if (!URL.canParse(text)) return { ok: false, problem: "Orchestrator's address is not a URL" };
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    return {
      ok: false,
      problem:
        "Orchestrator's address has a user or password in it: PRIMACY_ORCHESTRATOR_AUTH is the place for them",
    };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { ok: false, problem: "Orchestrator's address is neither http nor https" };
  }
  return { ok: true, value: `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/api$/, "") };
}

async function getJson<T>(url: string, access: OrchestratorAccess, schema: z.ZodType<T>): Promise<Parsed<T>> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (access.auth !== undefined) {
    headers["authorization"] = `Basic ${Buffer.from(access.auth, "utf8").toString("base64")}`;
  }
  let answer: { status: number; text: string };
  try {
    const response = await fetch(url, {
      headers,
      redirect: "error",
      signal: AbortSignal.timeout(access.timeoutMs),
    });
    answer = { status: response.status, text: await readAtMost(response, LARGEST_ANSWER) };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${errorText(error.cause)}` : "";
    return { ok: false, problem: `${url}: ${errorText(error)}${cause}` };
  }
  return readAnswer(url, answer, schema);
}

async function readAtMost(response: Response, limit: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    const bytes = part as Uint8Array;
    size += bytes.length;
    if (size > limit) throw new Error(`the answer is larger than ${String(limit)} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString("utf8");
}

function readAnswer<T>(
  url: string,
  answer: { status: number; text: string },
  schema: z.ZodType<T>,
): Parsed<T> {
  let json: unknown;
  try {
    json = JSON.parse(answer.text);
  } catch {
    json = undefined;
  }
  if (answer.status !== 200) {
    const said = z.object({ Message: z.string() }).safeParse(json);
    const message = said.success ? `: ${printable(said.data.Message)}` : "";
    return { ok: false, problem: `${url} answered ${String(answer.status)}${message}` };
  }
  if (json === undefined) return { ok: false, problem: `${url} did not answer JSON` };
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  return {
    ok: false,
    problem: `${url} did not answer as Orchestrator does: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
  };
}
