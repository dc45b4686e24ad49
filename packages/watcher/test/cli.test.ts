import { afterEach, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli.js";

afterEach(() => {
  vi.restoreAllMocks();
});

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0);
  const code = await main(argv, {});
  vi.restoreAllMocks();
  return { code, out: out.join(""), err: err.join("") };
}

describe("the command line", () => {
  test.each(["run", "plan", "once", "accept"])("%s --help has an example", async (command) => {
    const { code, out } = await run(command, "--help");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples?:\n  primacy-watcher ${command} --`));
  });

  test.each([[[]], [["accept", "--help"]], [["--help"]]])("%j fits a terminal", async (argv) => {
    const { out, err } = await run(...argv);
    const prose = `${out}${err}`.split("\n").filter((line) => !line.startsWith("  primacy-watcher "));
    expect(prose.length).toBeGreaterThan(10);
    for (const line of prose) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test.each([
    [["bogus"], "primacy-watcher: unknown command 'bogus'"],
    [["run", "--bogus"], "primacy-watcher: unknown option '--bogus'"],
    [["accept", "--cluster", "main"], "primacy-watcher: required option '--generation <number>'"],
    [["run"], 'primacy-watcher: no cluster is named: give "clusters" in the file'],
  ])("%j is refused, with a word on what to do", async (argv, message) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(10);
    expect(err).toContain(message);
    if (argv[0] !== "run" || argv.length > 1) expect(err).toContain("see primacy-watcher --help");
  });
});
