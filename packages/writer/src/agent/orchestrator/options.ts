import { readFile } from "node:fs/promises";
import type { Parsed } from "@primacy/contract";
import * as z from "zod";
import { errorText } from "../../errors.js";
import type { Variables } from "../../hook/environment.js";
import type { Settings } from "../../options.js";
import type { OrchestratorOptions } from "./client.js";

const text = z.string().min(1);

/** The table `agent.orchestrator`. */
export const orchestratorSchema = z
  .strictObject({
    urls: z.array(text).min(1).optional(),
    api: z.enum(["v1", "v2"]).default("v1"),
    authFile: text.optional(),
    tokenFile: text.optional(),
    caFile: text.optional(),
    certFile: text.optional(),
    keyFile: text.optional(),
    serverName: text.optional(),
    timeoutSeconds: z.number().min(0.1).max(86_400).default(3),
  })
  .prefault({});

/** How Orchestrator is reached: the table, and what the environment and the writer's own settings have. */
export async function orchestratorOptions(
  config: z.infer<typeof orchestratorSchema>,
  environment: Variables,
  settings: Settings,
): Promise<Parsed<OrchestratorOptions>> {
  const { urls, api, timeoutSeconds, serverName } = config;
  const given = environment["PRIMACY_ORCHESTRATOR"] ? undefined : urls;
  const nodes = given ?? list(settings.orchestrator.url ?? "");
  if (nodes.length === 0) {
    return {
      ok: false,
      problem:
        "where is Orchestrator? --orchestrator URL, PRIMACY_ORCHESTRATOR, or orchestrator in the file that --config names",
    };
  }
  const checked: string[] = [];
  for (const node of nodes) {
    const url = nodeUrl(node);
    if (!url.ok) return url;
    checked.push(url.value);
  }
  const { authFile, tokenFile, caFile, certFile, keyFile } = config;
  const files = await readFiles({
    auth: settings.orchestrator.authFile ?? authFile,
    token: environment["PRIMACY_ORCHESTRATOR_TOKEN_FILE"] || tokenFile,
    ca: caFile,
    cert: certFile,
    key: keyFile,
  });
  if (!files.ok) return files;
  const { auth, token, ca, cert, key } = files.value;
  return {
    ok: true,
    value: {
      urls: checked,
      api,
      basicAuth: auth ?? settings.orchestrator.auth,
      token: token ?? (environment["PRIMACY_ORCHESTRATOR_TOKEN"] || undefined),
      tls: { ca, cert, key, serverName },
      timeoutMs: timeoutSeconds * 1000,
    },
  };
}

/** A node's address with its prefix, without `/api`; credentials belong elsewhere. */
function nodeUrl(given: string): Parsed<string> {
  if (!URL.canParse(given))
    return { ok: false, problem: "agent.orchestrator.urls: one of them is not a URL" };
  const url = new URL(given);
  if (url.username !== "" || url.password !== "") {
    return {
      ok: false,
      problem:
        "agent.orchestrator.urls: one of them has a user or password in it; authFile is the place for them",
    };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { ok: false, problem: "agent.orchestrator.urls: one of them is neither http nor https" };
  }
  return { ok: true, value: `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/api$/, "") };
}

async function readFiles<K extends string>(
  paths: Record<K, string | undefined>,
): Promise<Parsed<Record<K, string | undefined>>> {
  const texts: [string, string | undefined][] = [];
  for (const [name, path] of Object.entries<string | undefined>(paths)) {
    try {
      texts.push([name, path === undefined ? undefined : (await readFile(path, "utf8")).trim()]);
    } catch (error) {
      return { ok: false, problem: `a file for Orchestrator can't be read: ${errorText(error)}` };
    }
  }
  return { ok: true, value: Object.fromEntries(texts) as Record<K, string | undefined> };
}

/** `a, b` */
export function list(value: string): string[] {
  return value
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
