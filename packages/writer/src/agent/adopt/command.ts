import { readFile } from "node:fs/promises";
import { type Layout, type Parsed, formatServer, parseServer } from "@primacy/contract";
import { commitByPerson, consulEnding, isEnding, readClusterState } from "../../commands/cluster-state.js";
import { confirm } from "../../commands/confirm.js";
import { showLayoutChange, writeLayout } from "../../commands/layout.js";
import { readLayoutFile } from "../../commands/layout-file.js";
import { orchestratorKeys } from "../../commit.js";
import { DatabaseError } from "../../database/session.js";
import type { Ending } from "../../ending.js";
import { errorText } from "../../errors.js";
import { readClusterView } from "../../orchestrator-api.js";
import { masterOf } from "../../orchestrator-master.js";
import { type Run, clusterWord, usage } from "../../run.js";
import { isoNow } from "../../world.js";
import { type AdoptInput, type MasterWord, type ProxyRows, adoptionOf, masterByKeys } from "./plan.js";
import { readProxyRows } from "./proxysql.js";

/**
 * `primacy-writer adopt <cluster>`: takes over a set-up that runs already. It reads Orchestrator (its API or its keys)
 * and a ProxySQL, shows the layout and the record that these come to, and writes them when somebody says yes.
 */
export async function adoptCommand(run: Run): Promise<Ending> {
  const cluster = clusterWord(run);
  if (!cluster.ok) return usage(cluster.problem);
  const snapshot = await readClusterState(run, cluster.value);
  if (isEnding(snapshot)) return snapshot;
  if (snapshot.record.kind !== "absent") {
    return {
      exit: "refused-contradictory",
      line: `${cluster.value} has a record already: there is nothing to take over`,
    };
  }
  const input = await gather(run, cluster.value);
  if (isEnding(input)) return input;
  const adoption = adoptionOf(input);
  if (!adoption.ok) return { exit: "refused-contradictory", line: `${cluster.value}: ${adoption.problem}` };
  const { layout, master, warnings } = adoption.value;
  const { terminal } = run;
  const change = showLayoutChange(run, snapshot, layout);
  if (change !== "") terminal.out(`layout\n${change}\n`);
  terminal.out(`record\n+ ${cluster.value}: generation 1, open, master ${formatServer(master)}`);
  for (const { source } of input.words) terminal.out(`  by ${source}`);
  for (const { key, value } of orchestratorKeys(run.settings.orchestratorKeys, {
    cluster: cluster.value,
    master,
  }))
    terminal.out(`+ ${key}: ${value}`);
  for (const warning of warnings)
    terminal.err(terminal.paint("yellow", `primacy: warning: ${warning}`, "err"));
  const declined = await confirm(run, `Write this as the beginning of ${cluster.value}?`);
  if (declined !== undefined) return declined;
  if (change !== "") {
    const written = await writeLayout(run, { cluster: cluster.value, layout }, snapshot);
    if (written.exit !== "ok") return written;
  }
  return commitByPerson(run, cluster.value, {
    kind: "bootstrap",
    master,
    beganAt: isoNow(run.world),
    cause: { kind: "bootstrap", failureType: "", recoveryUid: "", command: "adopt" },
  });
}

async function gather(run: Run, cluster: string): Promise<AdoptInput | Ending> {
  if (run.flags["layout"] === undefined && run.flags["proxysql"] === undefined) {
    return usage("where does the layout come from? --proxysql host:port, or --layout FILE");
  }
  const layout = await layoutOf(run, cluster);
  if (isOutcome(layout)) return layout;
  const hostgroups = hostgroupFlags(run);
  if (!hostgroups.ok) return usage(hostgroups.problem);
  const rows = await proxyRows(run);
  if (rows !== null && isEnding(rows)) return rows;
  const words = await masterWords(run, cluster);
  if (!Array.isArray(words)) return words;
  return { cluster, layout, rows, hostgroups: hostgroups.value, words };
}

function isOutcome(value: Layout | Ending | null): value is Ending {
  return value !== null && "exit" in value;
}

async function layoutOf(run: Run, cluster: string): Promise<Layout | Ending | null> {
  const path = run.flags["layout"];
  if (path === undefined) return null;
  const file = await readLayoutFile(path);
  if (!file.ok) return usage(file.problem);
  if (file.value.cluster === cluster) return file.value.layout;
  return usage(`${path} is the layout of ${file.value.cluster}, not of ${cluster}`);
}

function hostgroupFlags(run: Run): Parsed<AdoptInput["hostgroups"]> {
  const number = (flag: string): number | null | undefined => {
    const text = run.flags[flag];
    if (text === undefined) return null;
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  };
  const [writer, reader] = [number("writer-hostgroup"), number("reader-hostgroup")];
  if (writer === undefined || reader === undefined) return { ok: false, problem: "a hostgroup is a number" };
  if (writer === null && reader !== null)
    return { ok: false, problem: "--reader-hostgroup needs --writer-hostgroup" };
  return { ok: true, value: writer === null ? null : { writer, reader } };
}

async function proxyRows(run: Run): Promise<ProxyRows | Ending | null> {
  const address = run.flags["proxysql"];
  if (address === undefined) return null;
  const admin = parseServer(address, 6032);
  if (!admin.ok) return usage(`--proxysql: ${admin.problem}`);
  const password = await secret(
    run.flags["proxysql-password-file"],
    run.environment["PRIMACY_PROXYSQL_PASSWORD"],
  );
  if (!password.ok) return usage(password.problem);
  const account = {
    user: run.flags["proxysql-user"] ?? "admin",
    password: password.value,
    tls: "off",
    ca: undefined,
  } as const;
  try {
    return await readProxyRows(admin.value, account, run.settings.deadlineMs);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return usage(`the ProxySQL at ${formatServer(admin.value)} can't be read: ${error.message}`);
  }
}

async function secret(path: string | undefined, otherwise: string | undefined): Promise<Parsed<string>> {
  if (path === undefined) {
    if (otherwise !== undefined && otherwise !== "") return { ok: true, value: otherwise };
    return { ok: false, problem: "--proxysql needs --proxysql-password-file, or PRIMACY_PROXYSQL_PASSWORD" };
  }
  try {
    return { ok: true, value: (await readFile(path, "utf8")).trim() };
  } catch (error) {
    return { ok: false, problem: `the file for ProxySQL's password can't be read: ${errorText(error)}` };
  }
}

async function masterWords(run: Run, cluster: string): Promise<MasterWord[] | Ending> {
  const { orchestrator, clusterNames, deadlineMs } = run.settings;
  const alias =
    run.flags["alias"] ?? [...clusterNames.aliases].find(([, name]) => name === cluster)?.[0] ?? cluster;
  const words: MasterWord[] = [];
  const prefix = run.flags["from-keys"]?.replace(/^\/+|\/+$/g, "");
  if (prefix !== undefined) {
    try {
      const pairs = await run.store.readForeignFolder(`${prefix}/${alias}`, {
        deadlineMs,
        signal: run.signal,
      });
      words.push(masterByKeys(alias, prefix, pairs));
    } catch (error) {
      return consulEnding(cluster, error);
    }
  }
  if (orchestrator.url !== undefined) {
    const auth = orchestrator.authFile === undefined ? null : await secret(orchestrator.authFile, undefined);
    if (auth?.ok === false) return usage(auth.problem);
    const { url } = orchestrator;
    const access = { url, auth: auth?.value ?? orchestrator.auth, timeoutMs: deadlineMs };
    const view = await readClusterView(access, alias);
    words.push({ source: `Orchestrator at ${url}`, master: view.ok ? masterOf(view.value, alias) : view });
  }
  return words;
}
