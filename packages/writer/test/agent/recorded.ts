import { existsSync, readFileSync } from "node:fs";
import type { Layout, Server } from "@primacy/contract";
import { layoutOf } from "../../../contract/test/samples.js";
import { type Instance, instancesSchema, readInstance } from "../../src/agent/orchestrator/instance.js";
import { readRecovery, recoveriesSchema } from "../../src/agent/orchestrator/recovery.js";
import { type ClusterView, clusterView } from "../../src/agent/view.js";

const FOLDER = new URL("../../../../test/fixtures/orchestrator-api/", import.meta.url);

/** Where an answer is, if it was recorded. */
export function recordedFile(situation: string, file: string): URL {
  return new URL(`${situation}/${file}.json`, FOLDER);
}

/** An answer of a real Orchestrator 3.2.6: test/fixtures/orchestrator-api names the situations. */
export function recordedText(situation: string, file: string): string {
  return readFileSync(recordedFile(situation, file), "utf8");
}

/** When the answers of a situation were recorded. */
export function recordedAt(situation: string): string {
  return readFileSync(new URL(`${situation}/recorded-at.txt`, FOLDER), "utf8").trim();
}

export function recordedInstances(situation: string, file: string): Instance[] {
  return instancesIn(situation, JSON.parse(recordedText(situation, file)));
}

export const RECORDED_LAYOUT = layoutOf({
  servers: [3311, 3312, 3313].map((port) => ({ host: "127.0.0.1", port })),
});
export const [at3311, at3312, at3313] = RECORDED_LAYOUT.servers.map(({ host, port }) => ({ host, port })) as [
  Server,
  Server,
  Server,
];

/** The view that the agent makes of the recorded answers. */
export function recordedView(situation: string, layout: Layout = RECORDED_LAYOUT): ClusterView {
  const list: unknown = JSON.parse(recordedText(situation, "cluster_alias_main"));
  const listed = isError(list) ? null : instancesIn(situation, list);
  const names = new Set(listed?.map((one) => one.name.port));
  const lacking = layout.servers.filter((one) => !names.has(one.port));
  const raw = recoveriesSchema.parse(JSON.parse(recordedText(situation, "audit-recovery_alias_main")));
  return clusterView(
    {
      listed,
      askedFor: lacking.flatMap((one) => askedFor(situation, one.port)),
      recoveries: raw.flatMap((one) => readRecovery(one) ?? []),
    },
    layout,
  );
}

/** In the first recordings every server was asked for at once. */
function askedFor(situation: string, port: number): Instance[] {
  const file = `instance_127.0.0.1_${String(port)}`;
  if (!existsSync(recordedFile(situation, file)))
    return recordedInstances(situation, "all-instances").filter((one) => one.name.port === port);
  const answer: unknown = JSON.parse(recordedText(situation, file));
  return isError(answer) ? [] : instancesIn(situation, [answer]);
}

function instancesIn(situation: string, answer: unknown): Instance[] {
  const askedAtMs = Date.parse(recordedAt(situation));
  return instancesSchema.parse(answer).flatMap((one) => readInstance(one, askedAtMs) ?? []);
}

function isError(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "Code" in answer && answer.Code === "ERROR";
}
