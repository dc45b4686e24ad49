import { readFile } from "node:fs/promises";
import { type Parsed, printable } from "@primacy/contract";
import { SETTINGS, type SettingName } from "./options.js";
import { errorText } from "./errors.js";

type FileSettings = Partial<Record<SettingName, string>>;

/** Reads the configuration file: JSON or YAML, the settings by name and nothing else. */
export async function readConfigFile(path: string): Promise<Parsed<FileSettings>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    return { ok: false, problem: `the configuration file ${path} can't be read: ${errorText(error)}` };
  }
  const value = await parseText(text);
  if (!value.ok) return { ok: false, problem: `the configuration file ${path} ${value.problem}` };
  const settings = settingsOf(value.value);
  return settings.ok
    ? settings
    : { ok: false, problem: `the configuration file ${path}: ${settings.problem}` };
}

/** Reads a text that is JSON or YAML. The YAML reader is loaded only where it is needed. */
export async function parseText(text: string): Promise<Parsed<unknown>> {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    const { parse } = await import("yaml");
    try {
      return { ok: true, value: parse(text) as unknown };
    } catch (error) {
      return { ok: false, problem: `is neither JSON nor YAML: ${errorText(error).split("\n")[0] ?? ""}` };
    }
  }
}

function settingsOf(value: unknown): Parsed<FileSettings> {
  if (value === null || value === undefined) return { ok: true, value: {} };
  if (typeof value !== "object" || Array.isArray(value))
    return { ok: false, problem: "it is not a table of settings" };
  const settings: FileSettings = {};
  for (const [name, given] of Object.entries(value)) {
    // The agent's own table: hooks read the same file and need none of it.
    if (name === "agent") continue;
    if (!isSetting(name)) return { ok: false, problem: `there is no setting "${printable(name)}"` };
    const text = settingText(name, given);
    if (text === undefined) return { ok: false, problem: `${name} has a value that it can't have` };
    settings[name] = text;
  }
  return { ok: true, value: settings };
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function settingText(name: SettingName, value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (name === "clusterAliases" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value)
      .map(([alias, cluster]) => `${alias}=${String(cluster)}`)
      .join(",");
  }
  if (name === "consulAddress" && Array.isArray(value)) return value.map(String).join(",");
  return undefined;
}
