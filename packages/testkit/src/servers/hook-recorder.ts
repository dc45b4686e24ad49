import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeFolder } from "../remove-folder.js";
import { HOOK_LISTS, type HookList, type Hooks } from "../orchestrator-standin/hook-lists.js";

/** One run of a hook: which list it stands in, its ORC_* environment, and what became of each placeholder. */
export interface HookCall {
  hook: HookList;
  /** Order of the calls: nanoseconds since 1970. */
  at: bigint;
  env: Record<string, string>;
  placeholders: Record<string, string>;
}

const PLACEHOLDERS = [
  "failureType",
  "instanceType",
  "isMaster",
  "isCoMaster",
  "failureDescription",
  "command",
  "failedHost",
  "failedPort",
  "failureCluster",
  "failureClusterAlias",
  "failureClusterDomain",
  "countReplicas",
  "replicaHosts",
  "isDowntimed",
  "autoMasterRecovery",
  "autoIntermediateMasterRecovery",
  "orchestratorHost",
  "recoveryUID",
  "isSuccessful",
  "successorHost",
  "successorPort",
  "successorAlias",
  "successorBinlogCoordinates",
  "lostReplicas",
  "countLostReplicas",
] as const;

/** Each call writes one file, complete when it gets its name: the environment and the arguments, ended by NUL each. */
const SCRIPT = `#!/bin/bash
folder=$1; hook=$2; shift 2
name=$(date +%s%N)-$$-$hook
{ env -0 | grep -z '^ORC_'; printf '\\0'; printf '%s\\0' "$@"; } >"$folder/$name.tmp"
mv "$folder/$name.tmp" "$folder/$name.call"
while [ -e "$folder/$hook.hold" ]; do sleep 0.02; done
exit "$(cat "$folder/$hook.exit" 2>/dev/null || echo 0)"
`;

/** Makes a folder for records and the hooks that write there. */
export async function createHookRecorder(): Promise<HookRecorder> {
  const folder = await mkdtemp(join(tmpdir(), "primacy-hooks-"));
  await writeFile(join(folder, "record"), SCRIPT, { mode: 0o755 });
  return new HookRecorder(folder);
}

/** Hooks that record how they were called, for any Orchestrator. */
export class HookRecorder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One recording command in each list; quoted, so that a placeholder's blanks and semicolons stay in one argument. */
  get hooks(): Hooks {
    const words = PLACEHOLDERS.map((name) => `'{${name}}'`).join(" ");
    const command = (list: HookList) => `${join(this.#folder, "record")} ${this.#folder} ${list} ${words}`;
    return Object.fromEntries(HOOK_LISTS.map((list) => [list, [command(list)]]));
  }

  /** From now on the hook of `list` records its call and then ends with `code`. */
  async exitWith(list: HookList, code: number): Promise<void> {
    await writeFile(join(this.#folder, `${list}.exit`), String(code));
  }

  /** From now on the hook of `list` records its call and then waits until it is let go. */
  async hold(list: HookList): Promise<void> {
    await writeFile(join(this.#folder, `${list}.hold`), "");
  }

  async letGo(list: HookList): Promise<void> {
    await rm(join(this.#folder, `${list}.hold`), { force: true });
  }

  /** The calls so far, in their order. */
  async calls(): Promise<HookCall[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(".call"));
    const calls = await Promise.all(
      names.map(async (name) => readCall(name, await readFile(join(this.#folder, name), "utf8"))),
    );
    return calls.sort((a, b) => (a.at < b.at ? -1 : 1));
  }

  /** Forgets the calls so far. */
  async clear(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(".call"));
    await Promise.all(names.map((name) => rm(join(this.#folder, name))));
  }

  async close(): Promise<void> {
    await removeFolder(this.#folder);
  }
}

function readCall(name: string, text: string): HookCall {
  const [at = "0", , hook] = name.replace(/\.call$/, "").split("-");
  const words = text.split("\0");
  const end = words.indexOf("");
  const env = words.slice(0, end).map((line): [string, string] => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  });
  const values = words.slice(end + 1);
  return {
    hook: hook as HookList,
    at: BigInt(at),
    env: Object.fromEntries(env),
    placeholders: Object.fromEntries(PLACEHOLDERS.map((key, index) => [key, values[index] ?? ""])),
  };
}
