import { parseArgs } from "node:util";
import type { Parsed } from "@primacy/contract";
import { errorText } from "./errors.js";
import type { CommandName } from "./help.js";
import { HOOK_FIELDS, type Variables } from "./hook/environment.js";
import { SETTINGS } from "./options.js";

/** Flags of a command beside the settings, and how many words it takes. */
interface Grammar {
  readonly flags: readonly string[];
  readonly switches: readonly string[];
  readonly words: readonly [least: number, most: number];
}

const GRAMMARS: Record<CommandName, Grammar> = {
  hook: {
    flags: ["cluster", ...Object.values(HOOK_FIELDS).map((field) => field.flag)],
    switches: [],
    words: [1, 1],
  },
  flush: { flags: ["cluster"], switches: [], words: [0, 0] },
  bootstrap: { flags: ["master", "layout", "alias"], switches: ["yes"], words: [1, 1] },
  layout: { flags: [], switches: ["yes", "json"], words: [2, 2] },
  set: { flags: ["master", "generation"], switches: ["yes"], words: [1, 1] },
  readmit: { flags: ["server", "generation"], switches: ["yes"], words: [1, 1] },
  show: { flags: [], switches: ["json"], words: [0, 1] },
  resolve: { flags: ["alias"], switches: ["json"], words: [1, 1] },
  agent: { flags: ["cluster", "name", "policy", "http"], switches: [], words: [0, 0] },
  status: { flags: [], switches: ["json"], words: [0, 1] },
  check: { flags: [], switches: ["json"], words: [1, 1] },
  adopt: {
    flags: [
      "alias",
      "layout",
      "from-keys",
      "proxysql",
      "proxysql-user",
      "proxysql-password-file",
      "writer-hostgroup",
      "reader-hostgroup",
    ],
    switches: ["yes"],
    words: [1, 1],
  },
};

export interface CommandLine {
  readonly words: readonly string[];
  readonly flags: Variables;
  readonly switches: ReadonlySet<string>;
}

/** Reads what stands behind a command's name. */
export function readCommandLine(command: CommandName, argv: readonly string[]): Parsed<CommandLine> {
  const grammar = GRAMMARS[command];
  const flags = [...grammar.flags, "config", ...Object.values(SETTINGS).map((setting) => setting.flag)];
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
  };
  for (const flag of flags) options[flag] = { type: "string" };
  for (const name of grammar.switches) options[name] = { type: "boolean" };
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
    });
    const given = Object.entries(values);
    const switches = new Set(given.filter(([, value]) => value === true).map(([name]) => name));
    const [least, most] = grammar.words;
    if (!switches.has("help") && (positionals.length < least || positionals.length > most)) {
      return {
        ok: false,
        problem: `"${command}" takes ${wordCount(least, most)}, not ${String(positionals.length)}: ${seeHelp(command)}`,
      };
    }
    const texts = given.filter((pair): pair is [string, string] => typeof pair[1] === "string");
    return { ok: true, value: { words: positionals, flags: Object.fromEntries(texts), switches } };
  } catch (error) {
    // node:util's own words, without its advice about "--".
    return { ok: false, problem: `${errorText(error).split(/[.\n] ?/)[0] ?? ""}: ${seeHelp(command)}` };
  }
}

function seeHelp(command: CommandName): string {
  return `see primacy-writer ${command} --help`;
}

function wordCount(least: number, most: number): string {
  if (least === most) return least === 0 ? "no words" : `${String(least)} ${least === 1 ? "word" : "words"}`;
  return `${String(least)} to ${String(most)} words`;
}
