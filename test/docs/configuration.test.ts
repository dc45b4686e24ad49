import * as z from "zod";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { layoutSchema, parseLayout } from "../../packages/contract/src/layout.js";
import { ENVIRONMENT, configSchema } from "../../packages/watcher/src/options.js";
import { HOOK_FIELDS } from "../../packages/writer/src/hook/environment.js";
import { SETTINGS } from "../../packages/writer/src/options.js";
import { bare, codeBlocks, filesBelow, readText, section, tableRows } from "./markdown.js";

const text = readText("docs/configuration.md");
const table = (heading: string) => tableRows(section(text, heading));

interface JsonSchema {
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

/** Every field of a schema as `a.b` or `a[].b`, with its default as JSON; "" where it has none or is a table itself. */
function fields(schema: JsonSchema, path = ""): [string, string][] {
  const inner = [schema, ...(schema.anyOf ?? [])].find((one) => one.properties !== undefined);
  if (inner !== undefined) {
    const below = Object.entries(inner.properties ?? {}).flatMap(([name, one]) =>
      fields(one, path === "" ? name : `${path}.${name}`),
    );
    // A table that may be something else as well (false) has a row of its own.
    return schema.anyOf === undefined ? below : [[path, ""], ...below];
  }
  if (schema.items?.properties !== undefined) return fields(schema.items, `${path}[]`);
  return [[path, schema.default === undefined ? "" : JSON.stringify(schema.default)]];
}

/** Defaults that the schema cannot know, because another part of the program fills them in. */
const FILLED_IN: Record<string, string> = {
  proxy: "the host's name, up to the first dot",
  "consul.addresses": "http://127.0.0.1:8500",
  "consul.prefix": "primacy/",
  "consul.datacenter": "the agent's",
  "lease.file": "<stateDirectory>/<proxy>.lease",
  format: "1",
  "servers[].alsoKnownAs": "[]",
  "servers[].weight": "defaults.weight",
  "servers[].maxConnections": "defaults.maxConnections",
  "servers[].useSsl": "defaults.useSsl",
};

function documented(schema: z.ZodType): [string, string][] {
  const known = fields(z.toJSONSchema(schema, { io: "input" }) as JsonSchema);
  return known.map(([name, otherwise]) => [name, FILLED_IN[name] ?? otherwise]);
}

describe("docs/configuration.md", () => {
  it("lists the writer's settings as they are", () => {
    expect(table("### Settings of the writer").map((row) => row.map(bare))).toEqual(
      Object.entries(SETTINGS).map(([name, { flag, variable, otherwise, meaning }]) => [
        name,
        `--${flag}`,
        variable,
        otherwise,
        meaning,
      ]),
    );
  });

  it("lists what a hook is told", () => {
    expect(table("### What a hook is told").map((row) => row.map(bare))).toEqual(
      Object.values(HOOK_FIELDS).map(({ variable, flag, placeholder }) => [
        variable,
        `--${flag}`,
        placeholder,
      ]),
    );
  });

  it("lists the watcher's settings with their defaults", () => {
    const rows = table("### Settings of the watcher").map(([name, otherwise]) => [
      bare(name),
      bare(otherwise),
    ]);
    expect(rows).toEqual(documented(configSchema));
  });

  it("lists the watcher's variables", () => {
    expect(table("### Variables of the watcher").map((row) => row.map(bare))).toEqual(
      Object.entries(ENVIRONMENT),
    );
  });

  it("lists the layout's fields with their defaults", () => {
    const rows = table("## The layout").map(([name, otherwise]) => [bare(name), bare(otherwise)]);
    expect(rows).toEqual(documented(layoutSchema));
  });

  it("names every environment variable that a program reads, and no other", () => {
    const read = new Set(
      ["contract", "consul-store", "writer", "watcher"]
        .flatMap((name) => filesBelow(`packages/${name}/src`, ".ts"))
        .flatMap((path) => variablesRead(readText(path))),
    );
    // The agent's are in its own document.
    const named = new Set(
      `${text}${readText("docs/agent.md")}`.match(
        /\b(?:CONSUL|PRIMACY|ORC)_[A-Z_]*[A-Z]\b|\b(?:NO_COLOR|RES_OPTIONS|(?:SUDO_)?USER)\b/g,
      ),
    );
    expect([...named].sort()).toEqual([...read, ...Object.keys(ENVIRONMENT)].sort().filter(unique));
  });

  it("shows files that the programs take", () => {
    const [writer, watcher, layout] = codeBlocks(text, "yaml").map((block) => parse(block) as object);
    expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(Object.keys(writer ?? {})));
    expect(configSchema.safeParse(watcher)).toMatchObject({ success: true });
    expect(parseLayout(layout)).toMatchObject({ ok: true });
  });
});

/** As sources read them: `env["X"]`, `environment["X"]`, `value(env, "X")`, `variable: "X"`. */
function variablesRead(source: string): string[] {
  const reads = source.matchAll(
    /(?:\benv(?:ironment)?(?:, |\[)|\bvariables\[|\bvariable: )"([A-Z][A-Z_]+)"/g,
  );
  return [...reads].map(([, name = ""]) => name);
}

function unique(name: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(name) === at;
}
