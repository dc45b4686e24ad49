import { parseArgs } from "node:util";

/** What can be measured of the agent. */
export const AGENT_PARTS = ["recovery", "downtime", "pass", "takeover"] as const;
export type AgentPart = (typeof AGENT_PARTS)[number];

export interface AgentBenchmarkOptions {
  readonly parts: readonly AgentPart[];
  /** Masters that die without a hook. */
  readonly recoveries: number;
  readonly downtimes: number;
  /** ProxySQLs in these two. */
  readonly proxies: number;
  /** Sizes of a set-up whose passes are measured. */
  readonly clusters: readonly number[];
  /** Rounds looked at of each size. */
  readonly rounds: number;
  /** Of each way in which a leader ends. */
  readonly takeovers: number;
}

export const AGENT_BENCHMARK_HELP = `node packages/testkit/dist/agent-benchmark.cjs [options]

Measures the agent as it is shipped and prints a table: median, largest and number of measurements. Takes a real Consul and,
for recovery and downtime, a real MariaDB; ProxySQL and Orchestrator are the real ones that PRIMACY_PROXYSQL_BIN and
PRIMACY_ORCHESTRATOR_BIN name, else stand-ins. Progress goes to stderr.

  --parts LIST      of ${AGENT_PARTS.join(",")} (default: all)
  --recoveries N    masters that die, and no hook comes (default 10)
  --downtimes N     downtimes begun and ended (default 20)
  --proxies N       ProxySQLs in recovery and downtime (default 3)
  --clusters LIST   how many clusters the agent looks after, one size after the other (default 10,100,1000)
  --rounds N        rounds measured of each size (default 20)
  --takeovers N     takeovers of each kind (default 10)
  --help            this
`;

/** Null where help is asked for. @throws {RangeError | TypeError} for an option that can't be used */
export function agentBenchmarkOptions(args: readonly string[]): AgentBenchmarkOptions | null {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      parts: { ...text, default: AGENT_PARTS.join(",") },
      recoveries: { ...text, default: "10" },
      downtimes: { ...text, default: "20" },
      proxies: { ...text, default: "3" },
      clusters: { ...text, default: "10,100,1000" },
      rounds: { ...text, default: "20" },
      takeovers: { ...text, default: "10" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    parts: values.parts.split(",").map(part),
    recoveries: count("recoveries", values.recoveries),
    downtimes: count("downtimes", values.downtimes),
    proxies: count("proxies", values.proxies),
    clusters: values.clusters.split(",").map((one) => count("clusters", one)),
    rounds: count("rounds", values.rounds),
    takeovers: count("takeovers", values.takeovers),
  };
}

function part(name: string): AgentPart {
  const found = AGENT_PARTS.find((one) => one === name);
  if (found === undefined) throw new RangeError(`--parts: "${name}" is none of ${AGENT_PARTS.join(", ")}`);
  return found;
}

function count(option: string, value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 10_000)
    throw new RangeError(`--${option}: "${value}" is no number from 1 to 10000`);
  return number;
}
