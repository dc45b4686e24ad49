import { readFileSync } from "node:fs";
import type { HookCall, HookList } from "@primacy/testkit";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** The ports of the recorded servers, and those which play their parts now. */
export type Parts = ReadonlyMap<number, number>;

/** Fields that are different each time, with what is left of them. */
const VOLATILE = new Set([
  "Uptime",
  "Version",
  "VersionComment",
  "LastSeenTimestamp",
  "LastDiscoveryLatency",
  "DowntimeEndTimestamp",
  "ElapsedDowntime",
  "LogFile",
  "LogPos",
  "SecondsSinceLastSeen",
  "Token",
  "ProcessingNodeToken",
  "ProcessingNodeHostname",
  "DowntimeOwner",
  "FirstSeenActive",
  "LastSeenActive",
  "DBBackend",
  "UID",
  "RecoveryStartTimestamp",
  "RecoveryEndTimestamp",
  "IsUpToDate",
  "IsActive",
  "ServerID",
  // An unreachable master may have been detected before the dead one.
  "LastDetectionId",
]);

/** A recorded answer of the API. */
export function recordedAnswer(situation: string, path: string): unknown {
  const name = `orchestrator-api/${situation}/${path.replaceAll("/", "_")}.json`;
  return JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8")) as unknown;
}

/** An answer with the recorded ports, without what is different each time, its servers in one order. */
export function comparable(answer: unknown, parts: Parts = new Map()): unknown {
  if (Array.isArray(answer)) return answer.map((one) => comparable(one, parts)).sort(byText);
  if (typeof answer === "string") return withPorts(answer, parts);
  if (typeof answer === "number") return parts.get(answer) ?? answer;
  if (typeof answer !== "object" || answer === null) return answer;
  const fields = Object.entries(answer).map(([name, value]): [string, unknown] => [
    name,
    isVolatile(name, answer) ? typeof value : comparable(value, parts),
  ]);
  return Object.fromEntries(fields);
}

/** A recorded or new call of a hook, without what is different each time. */
export function comparableCall(
  call: Pick<HookCall, "hook" | "env" | "placeholders">,
  parts: Parts = new Map(),
): unknown {
  const values = (all: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, value]) => [name, comparableValue(name, withPorts(value, parts))]),
    );
  return { hook: call.hook, env: values(call.env), placeholders: values(call.placeholders) };
}

/** The hooks of a takeover or failover as recorded. */
export function recordedCalls(
  scenario: string,
): { hook: HookList; env: Record<string, string>; placeholders: Record<string, string> }[] {
  const text = readFileSync(new URL(`orchestrator-hooks/${scenario}.json`, FIXTURES), "utf8");
  return (JSON.parse(text) as { calls: ReturnType<typeof recordedCalls> }).calls;
}

function isVolatile(name: string, of: object): boolean {
  return VOLATILE.has(name) || (name === "Hostname" && "Token" in of);
}

function comparableValue(name: string, value: string): string {
  if (/REPLICA_HOSTS|replicaHosts/.test(name)) return value.split(",").sort().join(",");
  if (/ORCHESTRATOR_HOST|orchestratorHost/.test(name)) return "a host";
  if (/RECOVERY_UID|recoveryUID/.test(name)) return value.replace(/^\d{19}:[0-9a-f]{64}$/, "a UID");
  if (/COORDINATES|Coordinates/.test(name)) return value.replace(/^\S+\.\d+:\d+$/, "coordinates");
  return value;
}

function withPorts(text: string, parts: Parts): string {
  return text.replace(/\b\d{4,5}\b/g, (digits) => String(parts.get(Number(digits)) ?? digits));
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
