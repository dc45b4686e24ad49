import { parseArgs } from "node:util";
import { chooseParts, type Parts } from "../demo/parts.js";
import { promiseKept, reportLines } from "../demo/report.js";
import { Screen } from "../demo/screen.js";
import { Story, type StoryResult } from "../demo/story.js";
import { programs } from "../primacy/programs.js";
import { findServer } from "../servers/found.js";
import { proxySqlAccounts } from "../servers/proxysql.js";

const HELP = `npm start [-- options]

Three database servers, two ProxySQLs, an Orchestrator and clients that write all the time. The master is killed, a
replica is promoted, and the old master comes back by itself, writable. Once with Primacy, once with ProxySQL's own
read_only monitor; then both in figures.

  --keep          stay up after the run with Primacy, and print what to try
  --only-primacy  leave out the run with ProxySQL's own monitor
  --stand-ins     use none of the real MariaDB, Consul, ProxySQL and Orchestrator, though they be here
  --help          this
`;

interface Flags {
  keep: boolean;
  onlyPrimacy: boolean;
  standIns: boolean;
}

async function demo(flags: Flags): Promise<number> {
  const screen = new Screen(process.stdout);
  const parts = chooseParts(flags.standIns);
  for (const line of parts.lines) screen.say(`  ${line}`);
  const results: StoryResult[] = [];
  for (const routing of flags.onlyPrimacy || flags.keep
    ? (["primacy"] as const)
    : (["primacy", "read_only monitor"] as const)) {
    screen.say(
      `\n${screen.brush.bold(routing === "primacy" ? "With Primacy" : "The same with ProxySQL's own read_only monitor")}`,
    );
    const story = await Story.begin(routing, parts, screen);
    try {
      results.push(await story.play());
      if (flags.keep) await stayUp(story, parts, screen);
    } finally {
      await story.close();
    }
  }
  screen.say("");
  for (const line of reportLines(results)) screen.say(line);
  return conclude(results, screen);
}

function conclude(results: readonly StoryResult[], screen: Screen): number {
  const primacy = results.find((one) => one.routing === "primacy");
  const kept = primacy !== undefined && promiseKept(primacy);
  screen.say(
    kept
      ? `\n${screen.brush.good("With Primacy nothing went to the old master, though it came back writable.")}`
      : `\n${screen.brush.bad("Primacy did not keep its promise in this run. Please report it, with the output above.")}`,
  );
  return kept ? 0 : 1;
}

async function stayUp(story: Story, parts: Parts, screen: Screen): Promise<void> {
  const { fleet } = story;
  const [proxy] = fleet.proxies;
  const { user, password } = fleet.cluster("main").account;
  const { admin } = proxySqlAccounts;
  const consul = parts.consul === "real" ? findServer("consul") : "";
  const address = fleet.options.consul.address;
  screen.say(`
Everything stays up until Ctrl-C. To try in another terminal:

  export CONSUL_HTTP_ADDR=${address}
  ${typeof consul === "string" ? `curl -s ${address}/v1/kv/primacy/clusters/main/master?raw` : `${consul.path} kv get primacy/clusters/main/master`}
  node ${programs.writer} show main      # the record
  node ${programs.writer} status main    # how it is, and what to do next
  mysql -h127.0.0.1 -P${String(proxy?.port)} -u${user} -p${password} app      # as the application
  mysql -h127.0.0.1 -P${String(proxy?.adminPort)} -u${admin.user} -p${admin.password}      # ProxySQL's admin port
  curl -s ${fleet.orchestrator.url}/api/graceful-master-takeover-auto/main   # a planned takeover
${fleet.watchers.map((one) => `  curl -s ${one.url}/readyz                                   # ${one.proxy}`).join("\n")}
`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

interface Asked extends Flags {
  help: boolean;
}

/** Null for options that there are not: they have been told of. */
function readFlags(): Asked | null {
  const no = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({ options: { keep: no, "only-primacy": no, "stand-ins": no, help: no } });
    const { keep, help, "only-primacy": onlyPrimacy, "stand-ins": standIns } = values;
    return { keep, help, onlyPrimacy, standIns };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return null;
  }
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags === null) process.exitCode = 1;
  else if (flags.help) process.stdout.write(HELP);
  else process.exitCode = await demo(flags);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
