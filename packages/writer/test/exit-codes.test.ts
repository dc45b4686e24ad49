import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXIT_CODES, type ExitName } from "../src/exit-codes.js";
import { VERSION } from "../src/version.js";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const codes = Object.entries(EXIT_CODES) as [ExitName, (typeof EXIT_CODES)[ExitName]][];

describe("exit codes", () => {
  it("are all different, and ours begin at 10", () => {
    const numbers = codes.map(([, { code }]) => code);
    expect(new Set(numbers).size).toBe(numbers.length);
    const others: ExitName[] = ["ok", "failed"];
    for (const [name, { code }] of codes) if (!others.includes(name)) expect(code).toBeGreaterThanOrEqual(10);
  });

  it("stand in the documentation as they are here, and no others do", () => {
    const section = /## primacy-writer\n([^]*?)(?:\n## |$)/.exec(read("docs/exit-codes.md"))?.[1] ?? "";
    const rows = section
      .split("\n")
      .filter((line) => /^\| *\d/.test(line))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(rows).toEqual(
      codes.map(([name, { code, meaning, remedy }]) => [String(code), `\`${name}\``, meaning, remedy]),
    );
  });
});

it("the version is the package's", () => {
  const { version } = JSON.parse(read("packages/writer/package.json")) as { version: string };
  expect(VERSION).toBe(version);
});
