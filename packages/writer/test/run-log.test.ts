import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeRunLog } from "../src/run-log.js";
import type { Terminal } from "../src/terminal.js";
import { removeFoldersAfterEach, temporaryFolder } from "./fakes.js";

removeFoldersAfterEach();

const facts = { time: "2026-11-21T09:20:00.000Z", command: "hook", code: 0, durationMs: 12 };

function write(target: string): string[] {
  const said: string[] = [];
  const terminal = { err: (text: string) => void said.push(text) } as unknown as Terminal;
  writeRunLog(target, facts, { exit: "ok", line: "main generation 2" }, terminal);
  return said;
}

describe("the log of a run", () => {
  it("has a line for each run", () => {
    const file = join(temporaryFolder(), "log");
    expect([...write(file), ...write(file)]).toEqual([]);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(
      Array.from({ length: 2 }, () => "main generation 2"),
    );
  });

  it("is not waited for where it is a pipe that nobody reads", () => {
    const pipe = join(temporaryFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(write(pipe).join("\n")).toMatch(/the log .* can't be written: ENXIO/);
  });

  it("that can't be written is told", () => {
    expect(write("/nonexistent/log").join("\n")).toMatch(/the log .* can't be written: ENOENT/);
  });
});
