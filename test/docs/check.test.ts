import { describe, expect, it } from "vitest";
import { CHECKS } from "../../packages/writer/src/check/findings.js";
import { dialectOf } from "../../packages/writer/src/database/dialect.js";
import { bare, codeBlocks, readText, section, tableRows } from "./markdown.js";

describe("docs/phases.md", () => {
  it("lists everything that a check may find", () => {
    const rows = tableRows(section(readText("docs/phases.md"), "## Check it")).map((row) => row.map(bare));
    expect(rows).toEqual(Object.entries(CHECKS).map(([id, { level, meaning }]) => [id, level, meaning]));
  });
});

describe("docs/old-master.md", () => {
  /** The statements for each family, silencing and opening together. */
  const statements = codeBlocks(readText("docs/old-master.md"), "sql");

  it.each([
    ["8.0.36", "CONNECTION_ADMIN"],
    ["9.7.4", "CONNECTION_ADMIN"],
    ["10.11.14-MariaDB", "CONNECTION ADMIN"],
  ])("grants all that a check asks for on %s", (version, mark) => {
    const dialect = dialectOf(new Map([["version", version]]));
    if (!dialect.ok) throw new Error(dialect.problem);
    const { toSilence, toOpen } = dialect.value.privileges;
    const silences = statements.filter((one) => one.includes(mark));
    expect(silences).toHaveLength(1);
    for (const group of toSilence) expect(group.some((name) => silences[0]!.includes(name))).toBe(true);
    for (const group of toOpen) {
      expect(
        group.some((name) => statements.some((one) => one.includes(name))),
        group.join(),
      ).toBe(true);
    }
  });
});
