import { Command, CommanderError } from "commander";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { type Flags, OptionsError, type WatcherOptions, readOptions } from "./options.js";
import type { Reading } from "./decide.js";
import { AdminError } from "./proxysql/admin-error.js";
import { runWatcher } from "./run.js";
import {
  type PlannedPass,
  SinglePass,
  exitCodeOfOutcome,
  exitCodeOfPlan,
  outcomeText,
  planText,
} from "./single-pass.js";
import { VERSION } from "./version.js";

const EXAMPLES = `
Examples:
  primacy-watcher run --config /etc/primacy/watcher.yaml
  primacy-watcher plan --config /etc/primacy/watcher.yaml
      what would be done, as SQL; nothing is written
  primacy-watcher once --config /etc/primacy/watcher.yaml --wait 30
      apply, verify, save, and end
  primacy-watcher accept --config /etc/primacy/watcher.yaml --cluster main --generation 3
      after Consul was wiped: follow this record from now on
  primacy-watcher guard <lease file> <mysql option file> <hostgroups>
      what ProxySQL's scheduler runs under a lease (docs/lease.md)

The admin password comes from PRIMACY_PROXYSQL_PASSWORD_FILE or
PRIMACY_PROXYSQL_PASSWORD, Consul's address and token from the variables of
Consul's own CLI. Settings: docs/configuration.md. Exit codes:
docs/exit-codes.md.`;

const EXAMPLES_OF = {
  run: `
Examples:
  primacy-watcher run --config /etc/primacy/watcher.yaml
  PRIMACY_PROXYSQL_PASSWORD_FILE=/etc/primacy/proxysql.password primacy-watcher run --cluster main

SIGHUP reads the settings again; SIGTERM and SIGINT end it, and leave ProxySQL
as it is.`,
  plan: `
Examples:
  primacy-watcher plan --config /etc/primacy/watcher.yaml
  primacy-watcher plan --config /etc/primacy/watcher.yaml --json | jq -r '.[].statements[]'`,
  once: `
Example:
  primacy-watcher once --config /etc/primacy/watcher.yaml --wait 30`,
  accept: `
Look at the record first (primacy-writer show main, or consul kv get), and name
its generation. A running watcher takes the word up after SIGHUP.

Example:
  primacy-watcher accept --config /etc/primacy/watcher.yaml --cluster main --generation 3
  systemctl reload primacy-watcher`,
} as const;

/** Parses the arguments, does what they say, and returns the exit code. */
export async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  let code: ExitCode = EXIT_CODES.OK;
  const program = command(environment, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    return failure(error);
  }
}

function command(environment: NodeJS.ProcessEnv, done: (code: ExitCode) => void): Command {
  const program = new Command("primacy-watcher")
    .description("Keeps one ProxySQL equal to the record in Consul that says who the MySQL master is.")
    .version(VERSION)
    .addHelpText("after", EXAMPLES)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "primacy-watcher: ")) })
    .showHelpAfterError("see primacy-watcher --help")
    .exitOverride();
  const options = (flags: Flags): WatcherOptions => readOptions(flags, environment);
  withFlags(
    program.command("run").description("watch, apply, verify and acknowledge until told to stop"),
  ).action(async (flags: Flags) => {
    done(await runWatcher(() => options(flags)));
  });
  withFlags(program.command("plan").description("print what would be done, as SQL; write nothing"))
    .option("--json", "as JSON")
    .option("--check", `exit ${String(EXIT_CODES.CHANGES_PENDING)} when something would be changed`)
    .action(async (flags: Flags & { json?: true; check?: true }) => {
      done(await plan(options(flags), flags));
    });
  withFlags(program.command("once").description("apply and verify once, then end"))
    .option("--wait <seconds>", "how long to wait for Consul", "10")
    .action(async (flags: Flags & { wait: string }) => {
      done(await once(options(flags), Number(flags.wait)));
    });
  withFlags(
    program
      .command("accept")
      .description("let this ProxySQL follow the present record, whatever it has had before"),
  )
    .requiredOption("--generation <number>", "the generation of the record that you saw")
    .action(async (flags: Flags & { generation: string }) => {
      done(await accept(options(flags), Number(flags.generation)));
    });
  return program;
}

function withFlags(one: Command): Command {
  const examples: Readonly<Record<string, string>> = EXAMPLES_OF;
  return one
    .addHelpText("after", examples[one.name()] ?? "")
    .option("--config <file>", "settings, YAML or JSON (PRIMACY_CONFIG)")
    .option("--cluster <name...>", "clusters to follow (PRIMACY_CLUSTERS)")
    .option("--proxy <name>", "name of this ProxySQL in acknowledgements (PRIMACY_PROXY)")
    .exitOverride();
}

async function plan(options: WatcherOptions, flags: { json?: true; check?: true }): Promise<ExitCode> {
  const planned: PlannedPass[] = [];
  const code = await forEachCluster(options, { to: "look", waitMs: 5000 }, async (work, cluster, reading) => {
    const one = await work.plan(cluster, reading.documents);
    planned.push(one);
    if (flags.json !== true) print(planText(one));
    return exitCodeOfPlan(one, flags.check === true);
  });
  if (flags.json === true) print(JSON.stringify(planned, null, 2));
  return code;
}

async function once(options: WatcherOptions, waitSeconds: number): Promise<ExitCode> {
  if (!Number.isFinite(waitSeconds) || waitSeconds <= 0)
    throw new OptionsError("--wait must be a number of seconds");
  return await forEachCluster(
    options,
    { to: "work", waitMs: waitSeconds * 1000 },
    async (work, cluster, reading) => {
      const outcome = await work.apply(cluster, reading.documents);
      print(outcomeText(cluster, outcome));
      return exitCodeOfOutcome(outcome);
    },
  );
}

async function accept(options: WatcherOptions, generation: number): Promise<ExitCode> {
  if (options.clusters.length !== 1) throw new OptionsError("accept: name one --cluster");
  return await forEachCluster(options, { to: "work", waitMs: 5000 }, async (work, cluster, reading) => {
    const { record } = reading.documents;
    if (record.generation !== generation) {
      print(
        `${cluster}: the record is at generation ${String(record.generation)}, not ${String(generation)}: look again`,
      );
      return EXIT_CODES.REFUSED;
    }
    const before = await work.accept(cluster, reading.documents);
    // ProxySQL's memory, its disk and the watcher's own file usually say the same.
    const had = new Set(before.map((mark) => `generation ${String(mark.generation)} of ${mark.incarnation}`));
    for (const one of had) print(`${cluster}: had ${one}`);
    print(
      `${cluster}: generation ${String(generation)} of incarnation ${record.incarnation} is accepted; ` +
        "a running watcher takes it up after SIGHUP",
    );
    return EXIT_CODES.OK;
  });
}

/** The worst of the clusters' exit codes: the first that is not 0. */
async function forEachCluster(
  options: WatcherOptions,
  { to, waitMs }: { readonly to: "look" | "work"; readonly waitMs: number },
  work: (
    pass: SinglePass,
    cluster: string,
    reading: Extract<Reading, { kind: "usable" }>,
  ) => Promise<ExitCode>,
): Promise<ExitCode> {
  const single = await SinglePass.open(options, to);
  let code: ExitCode = EXIT_CODES.OK;
  try {
    for (const cluster of options.clusters) {
      const reading = await single.read(cluster, waitMs);
      if (reading.kind === "hold") process.stderr.write(`${cluster}: holding: ${reading.reason}\n`);
      const result = reading.kind === "hold" ? EXIT_CODES.HELD : await work(single, cluster, reading);
      if (code === EXIT_CODES.OK) code = result;
    }
  } finally {
    single.close();
  }
  return code;
}

function failure(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.OK : EXIT_CODES.BAD_OPTIONS;
  if (error instanceof OptionsError) {
    process.stderr.write(`primacy-watcher: ${error.message}\n`);
    return EXIT_CODES.BAD_OPTIONS;
  }
  if (error instanceof AdminError) {
    process.stderr.write(`primacy-watcher: ${error.code}: ${error.message}\n`);
    return EXIT_CODES.FAILED;
  }
  process.stderr.write(
    `primacy-watcher: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_CODES.UNEXPECTED;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
