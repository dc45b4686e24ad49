import { afterEach, describe, expect, it } from "vitest";
import { processTerminal } from "../src/terminal.js";

const before = [process.stdout.isTTY, process.stderr.isTTY] as const;
afterEach(() => {
  [process.stdout.isTTY, process.stderr.isTTY] = before;
});

describe("colours", () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])("stand where there is a terminal: stdout %s, stderr %s", (out, err) => {
    [process.stdout.isTTY, process.stderr.isTTY] = [out, err];
    const { paint } = processTerminal({});
    expect(paint("red", "x").includes("\u001b")).toBe(out);
    expect(paint("red", "x", "err").includes("\u001b")).toBe(err);
    expect(processTerminal({ NO_COLOR: "1" }).paint("red", "x", "err")).toBe("x");
  });
});
