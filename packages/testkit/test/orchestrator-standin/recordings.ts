import { readFileSync } from "node:fs";
import type { HookList } from "../../src/orchestrator-standin/hook-lists.js";

const FIXTURES = new URL("../../../../test/fixtures/", import.meta.url);

/** One recorded run of a hook. */
export interface RecordedCall {
  hook: HookList;
  env: Record<string, string>;
  placeholders: Record<string, string>;
}

/** The hooks of a takeover or failover by the real Orchestrator 3.2.6. */
export function recordedCalls(scenario: "graceful-master-takeover" | "dead-master"): RecordedCall[] {
  const text = readFileSync(new URL(`orchestrator-hooks/${scenario}.json`, FIXTURES), "utf8");
  return (JSON.parse(text) as { calls: RecordedCall[] }).calls;
}

/** An answer of the real Orchestrator's API. */
export function recordedAnswer(situation: string, path: string): unknown {
  const text = readFileSync(
    new URL(`orchestrator-api/${situation}/${path.replaceAll("/", "_")}.json`, FIXTURES),
    "utf8",
  );
  return JSON.parse(text) as unknown;
}
