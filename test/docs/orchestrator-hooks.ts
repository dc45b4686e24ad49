import { type Hook, parseHook } from "../../packages/writer/src/hook/name.js";

/** One command in one of Orchestrator's hook lists. */
export interface ConfiguredHook {
  readonly list: string;
  readonly command: string;
  /** The hook that the command names. */
  readonly hook: Hook | undefined;
}

/** The hooks that call the writer in the text of an orchestrator.conf.json. */
export function hooksOf(text: string): ConfiguredHook[] {
  const configuration = JSON.parse(text) as Record<string, unknown>;
  return Object.entries(configuration)
    .filter(([list]) => list.endsWith("Processes"))
    .flatMap(([list, commands]) =>
      (commands as string[]).map((command) => ({
        list,
        command,
        hook: parseHook(/ hook (\w+)/.exec(command)?.[1] ?? ""),
      })),
    );
}
