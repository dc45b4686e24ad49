import { describe, expect, it } from "vitest";
import { acknowledgementStateSchema } from "../../packages/contract/src/acknowledgement.js";
import { EXIT_CODES } from "../../packages/watcher/src/exit-codes.js";
import { Metrics } from "../../packages/watcher/src/metrics.js";
import { ADMIN_ERROR_CODES } from "../../packages/watcher/src/proxysql/admin-error.js";
import { bare, codeBlocks, readText, section, tableRows } from "./markdown.js";

const table = (file: string, heading: string) =>
  tableRows(section(readText(`docs/${file}.md`), heading)).map((row) => row.map(bare));
const firstColumn = (file: string, heading: string) => table(file, heading).map(([first]) => first);

/** The members of an exported union of texts: types leave nothing behind to ask at run time. */
function union(path: string, type: string): string[] {
  const declaration = new RegExp(`export type ${type} =([^;]*);`).exec(readText(path))?.[1] ?? "";
  return [...declaration.matchAll(/^ *(?:\| )?"([^"]+)"|(?<=\| )"([^"]+)"/gm)].map(
    ([, own, next]) => own ?? next ?? "",
  );
}

describe("docs/metrics.md", () => {
  it("lists every series of the watcher, its type, labels and meaning", () => {
    const series = new Metrics().registry.getMetricsAsArray();
    const ours = series
      .filter(({ name }) => name.startsWith("primacy_"))
      .map((one) => {
        const { name, help, type, labelNames } = one as unknown as {
          name: string;
          help: string;
          type: string;
          labelNames: string[];
        };
        return [name, type, labelNames.join(", "), help];
      });
    expect(ours.length).toBeGreaterThan(10);
    expect(table("metrics", "## Series of the watcher")).toEqual(ours);
  });

  it("lists the states of a pass", () => {
    const source = readText("packages/watcher/src/metrics.ts");
    const states = /const STATES = \[([^\]]*)\]/.exec(source)?.[1]?.match(/(?<=")\w+/g);
    const text = readText("docs/metrics.md");
    const rows = tableRows(text.slice(text.indexOf("States of a pass:")));
    expect(rows.map(([state]) => bare(state))).toEqual(states);
  });

  it("alerts on series that there are", () => {
    const known = new Metrics().registry.getMetricsAsArray().map(({ name }) => name);
    const alerts = codeBlocks(readText("docs/metrics.md"), "yaml").join("\n");
    const used = alerts.match(/primacy_[a-z_]+/g) ?? [];
    expect(used.length).toBeGreaterThan(5);
    expect(known).toEqual(expect.arrayContaining(used));
  });
});

describe("docs/exit-codes.md", () => {
  it("lists the watcher's, by number and name", () => {
    const rows = table("exit-codes", "## primacy-watcher").map(([code, name]) => [code, name]);
    expect(rows).toEqual(Object.entries(EXIT_CODES).map(([name, code]) => [String(code), name]));
  });
});

describe("docs/errors.md", () => {
  it("lists Consul's codes", () => {
    const codes = union("packages/consul-store/src/errors.ts", "ConsulErrorCode");
    expect(codes).toContain("CONSUL_UNREACHABLE");
    expect(firstColumn("errors", "## Consul")).toEqual(codes);
  });

  it("lists those of ProxySQL's admin port with their meaning, and the watcher's own", () => {
    const rows = table("errors", "## ProxySQL's admin port");
    const codes = Object.entries(ADMIN_ERROR_CODES);
    expect(rows.slice(0, codes.length).map(([code, meaning]) => [code, meaning])).toEqual(codes);
    const own = rows.slice(codes.length).map(([code]) => code);
    const sources = ["options", "pass"].map((name) => readText(`packages/watcher/src/${name}.ts`)).join("\n");
    for (const code of own) expect(sources).toContain(`"${String(code)}"`);
    expect(own).toEqual(["UNEXPECTED", "BAD_OPTIONS"]);
  });

  it("lists why a record is refused, why a watcher holds, and what an acknowledgement says", () => {
    const refusals = union("packages/watcher/src/admission.ts", "RefusalReason");
    expect(firstColumn("errors", "## Why a watcher refuses a record")).toEqual(refusals);
    const holds = union("packages/consul-store/src/types.ts", "HoldReason");
    expect(firstColumn("errors", "## Why a watcher holds")).toEqual(holds);
    expect(firstColumn("errors", "## States of an acknowledgement")).toEqual(
      acknowledgementStateSchema.options,
    );
  });
});
