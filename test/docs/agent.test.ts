import { describe, expect, it } from "vitest";
import * as z from "zod";
import { MEMBER_STATES } from "../../packages/writer/src/agent/judge.js";
import { AgentMetrics } from "../../packages/writer/src/agent/metrics.js";
import { AGENT_ENVIRONMENT, agentConfigSchema } from "../../packages/writer/src/agent/options.js";
import { RULES } from "../../packages/writer/src/agent/rules.js";
import { STATUS_STATES } from "../../packages/writer/src/agent/status.js";
import { bare, codeBlocks, readText, section, tableRows } from "./markdown.js";

const text = readText("docs/agent.md");
const table = (heading: string) => tableRows(section(text, heading)).map((row) => row.map(bare));
const firstColumn = (heading: string) => table(heading).map(([first]) => first);

interface JsonSchema {
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

/** Defaults that another part of the program fills in. */
const FILLED_IN: Record<string, string> = {
  name: "the host's name",
  clusters: "all that Consul has",
  "orchestrator.urls": "the setting orchestrator",
  "orchestrator.authFile": "the setting orchestratorAuthFile",
};

/** Every field of a schema as `a.b` or `a[].b`, with its default as JSON. */
function fields(schema: JsonSchema, path = ""): [string, string][] {
  const inner = [schema, ...(schema.anyOf ?? [])].find((one) => one.properties !== undefined);
  if (inner !== undefined) {
    const below = Object.entries(inner.properties ?? {}).flatMap(([name, one]) =>
      fields(one, path === "" ? name : `${path}.${name}`),
    );
    return schema.anyOf === undefined ? below : [[path, ""], ...below];
  }
  if (schema.items?.properties !== undefined) return fields(schema.items, `${path}[]`);
  const otherwise = schema.default === undefined ? "" : JSON.stringify(schema.default);
  return [[path, FILLED_IN[path] ?? otherwise]];
}

const known = new AgentMetrics().registry.getMetricsAsArray() as unknown as {
  name: string;
  help: string;
  type: string;
  labelNames: string[];
}[];

describe("docs/agent.md", () => {
  it("lists every rule with its weight and meaning", () => {
    expect(table("## The record")).toEqual(
      Object.entries(RULES).map(([id, { weight, meaning }]) => [id, weight, meaning]),
    );
  });

  it("lists the agent's settings with their defaults, and says what each is", () => {
    const rows = table("### Settings of the agent");
    expect(rows.map(([name, otherwise]) => [name, otherwise])).toEqual(
      fields(z.toJSONSchema(agentConfigSchema, { io: "input" }) as JsonSchema),
    );
  });

  it("lists the agent's variables", () => {
    expect(table("### Variables of the agent")).toEqual(Object.entries(AGENT_ENVIRONMENT));
  });

  it("lists every series of the agent, its type, labels and meaning", () => {
    const ours = known
      .filter(({ name }) => name.startsWith("primacy_"))
      .map(({ name, help, type, labelNames }) => [name, type, labelNames.join(", "), help]);
    expect(table("### Series of the agent")).toEqual(ours);
  });

  it("lists the states of a server and of a cluster", () => {
    expect(firstColumn("## Members")).toEqual([...MEMBER_STATES]);
    expect(firstColumn("## Status")).toEqual([...STATUS_STATES]);
  });

  it("alerts on series that there are", () => {
    const used =
      codeBlocks(text, "yaml")
        .join("\n")
        .match(/primacy_agent_[a-z_]+/g) ?? [];
    expect(used.length).toBeGreaterThan(5);
    expect(known.map(({ name }) => name)).toEqual(expect.arrayContaining(used));
  });
});
