import { describe, expect, it } from "vitest";
import { readCommandLine } from "../src/command-line.js";
import { type CommandName, HELP, commandHelp, generalHelp } from "../src/help.js";
import { main } from "../src/main.js";
import { realWorld } from "../src/world.js";

const commands = Object.keys(HELP) as CommandName[];

/** Lines of prose: examples are pasted whole, so they may be longer. */
const prose = (text: string) => text.split("\n").filter((line) => !/primacy-writer|"|http/.test(line));

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main({
    argv,
    environment: {},
    terminal: {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      interactive: false,
      ask: () => Promise.resolve(""),
      paint: (_colour, text) => text,
    },
    world: realWorld,
    signal: new AbortController().signal,
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("help", () => {
  it.each(commands)("of %s has examples that the command takes, and fits a terminal", (command) => {
    const text = commandHelp(command);
    const examples = text
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.trim().replace(/^"|",?$/g, ""))
      .map((line) => line.replace(/^\/usr\/local\/bin\//, "").split(/ [|>] /)[0] ?? "")
      .filter((line) => line.startsWith(`primacy-writer ${command} `) || line === `primacy-writer ${command}`)
      .filter((line) => !/[<[]|--help/.test(line));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(readCommandLine(command, example.split(" ").slice(2)), example).toMatchObject({ ok: true });
    }
    for (const line of prose(text)) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it("of all fits a terminal, and names every command", () => {
    const text = generalHelp();
    for (const line of prose(text)) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const command of commands) expect(text).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  it("of a command comes by either order of the words", async () => {
    expect(await run("help", "set")).toEqual(await run("set", "--help"));
    expect(await run("--help")).toEqual(await run("help"));
    expect(await run("--help")).toMatchObject({ code: 0, err: "" });
  });
});

describe("a command that lacks something says what", () => {
  it.each([
    [["set", "main"], "which server? --master host:port"],
    [["readmit", "main"], "which server? --server host:port"],
    [["set"], "see primacy-writer set --help"],
    [["nothing"], "see primacy-writer --help"],
  ])("%j", async (argv, message) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(10);
    expect(err).toContain(message);
  });
});
