import { ConsulStore } from "@primacy/consul-store";
import { printable } from "@primacy/contract";
import { type CommandLine, readCommandLine } from "./command-line.js";
import { hookCommand, letFailoverGoOn } from "./commands/hook.js";
import { readConfigFile } from "./config-file.js";
import type { Ending } from "./ending.js";
import { errorText } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import type { CommandName } from "./help.js";
import type { Variables } from "./hook/environment.js";
import { parseHook } from "./hook/name.js";
import { type Settings, readSettings } from "./options.js";
import { type Command, type Run, usage } from "./run.js";
import { writeRunLog } from "./run-log.js";
import type { Terminal } from "./terminal.js";
import { VERSION } from "./version.js";
import { type World, isoNow } from "./world.js";

/** What a program is started with. */
export interface Start {
  readonly argv: readonly string[];
  readonly environment: Variables;
  readonly terminal: Terminal;
  readonly world: World;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
}

const COMMANDS: readonly string[] = [
  "hook",
  "flush",
  "bootstrap",
  "layout",
  "set",
  "readmit",
  "show",
  "resolve",
  "agent",
  "status",
  "check",
  "adopt",
];

/** Runs the program and answers its exit code. Never rejects. */
export async function main(start: Start): Promise<number> {
  const [command, ...rest] = start.argv;
  const { terminal } = start;
  if (command === "--version" || command === "-v") {
    terminal.out(`primacy-writer ${VERSION}`);
    return 0;
  }
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    const { commandHelp, generalHelp } = await import("./help.js");
    const [about = ""] = rest;
    (command === undefined ? terminal.err : terminal.out)(
      isCommand(about) ? commandHelp(about) : generalHelp(),
    );
    return exitCode(command === undefined ? "usage" : "ok");
  }
  if (!isCommand(command)) {
    return finish(start, usage(`there is no command "${printable(command)}": see primacy-writer --help`));
  }
  return runCommand(command, rest, start);
}

/** `help.ts` has the same list, and more than a hook should have to load. */
function isCommand(word: string): word is CommandName {
  return COMMANDS.includes(word);
}

async function runCommand(command: CommandName, argv: readonly string[], start: Start): Promise<number> {
  const line = readCommandLine(command, argv);
  if (!line.ok) return finish(start, hookPolicy(command, argv, start, usage(line.problem)));
  if (line.value.switches.has("help")) {
    const { commandHelp } = await import("./help.js");
    start.terminal.out(commandHelp(command));
    return exitCode("ok");
  }
  const settings = await settingsFor(line.value, start);
  if ("exit" in settings) return finish(start, hookPolicy(command, argv, start, settings));
  const ending = await runWith(command, line.value, settings, start);
  const [word] = line.value.words;
  const hook = command === "hook" ? parseHook(word ?? "") : undefined;
  const final = hook === undefined ? ending : letFailoverGoOn(hook, ending, settings.stopOnFailure);
  const code = finish(start, final);
  const facts = {
    time: isoNow(start.world),
    command,
    hook,
    code,
    durationMs: Math.round(start.world.elapsed()),
  };
  writeRunLog(settings.log, facts, { ...ending, line: final.line }, start.terminal);
  return code;
}

async function settingsFor(line: CommandLine, start: Start): Promise<Settings | Ending> {
  const path = line.flags["config"] || start.environment["PRIMACY_CONFIG"];
  const file = path ? await readConfigFile(path) : ({ ok: true, value: {} } as const);
  if (!file.ok) return usage(file.problem);
  const settings = readSettings(line.flags, start.environment, file.value);
  return settings.ok ? settings.value : usage(settings.problem);
}

async function runWith(
  command: CommandName,
  line: CommandLine,
  settings: Settings,
  start: Start,
): Promise<Ending> {
  const store = new ConsulStore(settings.consul);
  const { environment, terminal, world, signal } = start;
  const run: Run = {
    ...line,
    environment,
    settings,
    store,
    terminal,
    world,
    signal,
    deadline: settings.deadlineMs,
  };
  try {
    const perform = await load(command);
    return await perform(run);
  } catch (error) {
    return { exit: "failed", line: `${command} failed: ${errorText(error)}` };
  } finally {
    store.close();
  }
}

/** A hook must not load what only people use. */
async function load(command: CommandName): Promise<Command> {
  switch (command) {
    case "hook":
      return hookCommand;
    case "flush":
      return (await import("./commands/flush.js")).flushCommand;
    case "bootstrap":
      return (await import("./commands/bootstrap.js")).bootstrapCommand;
    case "layout":
      return (await import("./commands/layout.js")).layoutCommand;
    case "set":
      return (await import("./commands/operator.js")).setCommand;
    case "readmit":
      return (await import("./commands/operator.js")).readmitCommand;
    case "show":
      return (await import("./commands/show.js")).showCommand;
    case "agent":
      return (await import("./agent/commands.js")).agentCommand;
    case "status":
      return (await import("./agent/commands.js")).statusCommand;
    case "check":
      return (await import("./agent/commands.js")).checkCommand;
    case "resolve":
      return (await import("./agent/commands.js")).resolveCommand;
    case "adopt":
      return (await import("./agent/commands.js")).adoptCommand;
  }
}

/** What holds of a hook's failure also holds where the settings could not even be read. */
function hookPolicy(command: CommandName, argv: readonly string[], start: Start, ending: Ending): Ending {
  const hook = command === "hook" ? argv.map(parseHook).find((one) => one !== undefined) : undefined;
  if (hook === undefined) return ending;
  const stop =
    start.environment["PRIMACY_ON_FENCE_FAILURE"] === "stop" ||
    argv.some(
      (word, at) => word === "--on-failure=stop" || (word === "--on-failure" && argv[at + 1] === "stop"),
    );
  return letFailoverGoOn(hook, ending, stop);
}

/** Says how it ended, and answers the exit code. */
function finish({ terminal }: Start, ending: Ending): number {
  for (const note of ending.notes ?? []) terminal.err(`primacy: ${note}`);
  if (ending.line !== "") {
    if (ending.exit === "ok") terminal.out(`primacy: ${ending.line}`);
    else terminal.err(terminal.paint("red", `primacy: ${ending.line} (${ending.exit})`, "err"));
  }
  return exitCode(ending.exit);
}
