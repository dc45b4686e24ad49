// What the agent costs and how long it takes: node dist/agent-benchmark.cjs --help
import { cpus, loadavg } from "node:os";
import { inspect } from "node:util";
import { AgentFleet } from "../benchmark/agent-fleet.js";
import { downtimeRows } from "../benchmark/agent-downtime.js";
import {
  AGENT_BENCHMARK_HELP,
  type AgentBenchmarkOptions,
  agentBenchmarkOptions,
} from "../benchmark/agent-options.js";
import { passRows } from "../benchmark/agent-pass.js";
import { recoveryRows } from "../benchmark/agent-recovery.js";
import { takeoverRows } from "../benchmark/agent-takeover.js";
import { type Row, tableLines } from "../benchmark/table.js";
import { findServer } from "../servers/found.js";

const startedMs = performance.now();

function say(what: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  process.stderr.write(`${seconds.padStart(5)} s  ${what}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Programs and machine: no figure is worth anything without them. */
function surroundings(): string[] {
  const programs = (["mariadb", "consul", "proxysql", "orchestrator"] as const).map((name) => {
    const found = findServer(name);
    return typeof found === "string" ? `${name}: stand-in or none` : `${name} ${found.version}`;
  });
  const load = loadavg().map((one) => one.toFixed(1));
  return [
    `node ${process.versions.node}, ${programs.join(", ")}`,
    `${String(cpus().length)} cores (${cpus()[0]?.model ?? "unknown"}), load average ${load.join(" ")}`,
  ];
}

/** What needs databases, proxies and an Orchestrator. */
async function inAFleet({ parts, proxies, recoveries, downtimes }: AgentBenchmarkOptions): Promise<Row[]> {
  const fleet = await AgentFleet.start(proxies, say);
  try {
    await fleet.settled();
    return [
      ...(parts.includes("recovery") ? await recoveryRows(fleet, recoveries, say) : []),
      ...(parts.includes("downtime") ? await downtimeRows(fleet, downtimes, say) : []),
    ];
  } catch (error) {
    throw new Error(`the agent's last lines:\n${fleet.agent.output}`, { cause: error });
  } finally {
    await fleet.close();
  }
}

async function measure(options: AgentBenchmarkOptions): Promise<Row[]> {
  const { parts, clusters, rounds, takeovers } = options;
  const rows: Row[] = [];
  if (parts.includes("recovery") || parts.includes("downtime")) rows.push(...(await inAFleet(options)));
  if (parts.includes("pass")) {
    for (const count of clusters) rows.push(...(await passRows(count, rounds, say)));
  }
  if (parts.includes("takeover")) rows.push(...(await takeoverRows(takeovers, say)));
  return rows;
}

/** Null for options that there are not: they have been told of. */
function readOptions(): AgentBenchmarkOptions | "help" | null {
  try {
    return agentBenchmarkOptions(process.argv.slice(2)) ?? "help";
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\n\n${AGENT_BENCHMARK_HELP}`,
    );
    return null;
  }
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === "help") return print(AGENT_BENCHMARK_HELP.trimEnd());
  if (options === null) {
    process.exitCode = 1;
    return;
  }
  const before = surroundings();
  const rows = await measure(options);
  for (const line of [...before, "", ...tableLines(rows)]) print(line);
}

main()
  .catch((error: unknown) => {
    process.stderr.write(`${inspect(error)}\n`);
    process.exitCode = 1;
  })
  // What one measurement still waits for when another has failed is not worth waiting for.
  .finally(() => process.exit());
