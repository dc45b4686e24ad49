import { EXIT_CODES } from "./exit-codes.js";
import type { CommandName } from "./help.js";
import { SETTINGS, type SettingName } from "./options.js";

/** Columns: what a terminal has that nobody has made wider. */
const WIDTH = 80;

const CONSUL = ["consulAddress", "consulTokenFile", "prefix", "deadline", "log"] as const;
const ORCHESTRATOR = ["orchestrator", "orchestratorAuthFile", "clusterAliases"] as const;
const DATABASE = (Object.keys(SETTINGS) as SettingName[]).filter((name) => name.startsWith("database"));
const ALL = Object.keys(SETTINGS) as SettingName[];

/** The settings that a command goes by. It takes the others too: they stand in the file that all commands read. */
const OF_COMMAND: Record<CommandName, readonly SettingName[]> = {
  hook: ALL,
  agent: ALL,
  flush: [...CONSUL, "spool", "orchestratorKeys", ...DATABASE],
  bootstrap: [...CONSUL, ...ORCHESTRATOR, "orchestratorKeys"],
  adopt: [...CONSUL, ...ORCHESTRATOR, "orchestratorKeys"],
  resolve: [...CONSUL, ...ORCHESTRATOR, "orchestratorKeys", ...DATABASE],
  check: [...CONSUL, "onFailure", "spool", ...DATABASE],
  set: [...CONSUL, "orchestratorKeys"],
  readmit: CONSUL,
  layout: CONSUL,
  show: CONSUL,
  status: CONSUL,
};

/** The settings of one command, or all of them. */
export function settingsHelp(command?: CommandName): string {
  const names = command === undefined ? ALL : OF_COMMAND[command];
  const rows = names.map((name) => {
    const { flag, variable, otherwise, meaning } = SETTINGS[name];
    const standing = otherwise === "" ? "" : ` (default ${otherwise})`;
    return `  --${flag}, ${variable}, ${name}\n${wrapped(`${meaning}${standing}`, 6)}`;
  });
  return [
    wrapped(
      "Settings: a flag, a variable, or a line of the file that --config FILE (PRIMACY_CONFIG) names, in this order.",
      0,
    ),
    ...rows,
    wrapped(
      "Consul's own variables count as they do for its command line: CONSUL_HTTP_TOKEN, CONSUL_CACERT, …",
      2,
    ),
    ...(names.length === ALL.length ? [] : ["  All settings: primacy-writer --help"]),
  ].join("\n");
}

export function exitCodesHelp(): string {
  const rows = Object.entries(EXIT_CODES).map(([name, { code, meaning }]) => {
    const begin = `  ${String(code).padStart(2)} ${name.padEnd(22)} `;
    return begin + wrapped(meaning, begin.length).trimStart();
  });
  return ["Exit codes", ...rows].join("\n");
}

/** Breaks a sentence into lines that begin behind `indent` spaces. */
function wrapped(text: string, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || indent + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}
