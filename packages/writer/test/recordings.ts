import { readFileSync } from "node:fs";

/** One call of a hook, as a real Orchestrator 3.2.6 made it. */
export interface RecordedCall {
  readonly hook: string;
  readonly env: Record<string, string>;
  readonly placeholders: Record<string, string>;
}

/** test/fixtures/orchestrator-hooks */
export function recording(scenario: "dead-master" | "graceful-master-takeover"): RecordedCall[] {
  const file = new URL(`../../../test/fixtures/orchestrator-hooks/${scenario}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { calls: RecordedCall[] }).calls;
}

export function recordedCall(
  scenario: "dead-master" | "graceful-master-takeover",
  hook: string,
): RecordedCall {
  const call = recording(scenario).find((one) => one.hook === hook);
  if (call === undefined) throw new Error(`no ${hook} in ${scenario}`);
  return call;
}
