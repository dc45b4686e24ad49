import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseLayout } from "../../packages/contract/src/layout.js";
import { readRecord } from "../../packages/contract/src/record.js";
import { configSchema } from "../../packages/watcher/src/options.js";
import { readCommandLine } from "../../packages/writer/src/command-line.js";
import { isCommand } from "../../packages/writer/src/help.js";
import { SETTINGS } from "../../packages/writer/src/options.js";
import { codeBlocks, documents, readText } from "./markdown.js";
import { hooksOf } from "./orchestrator-hooks.js";

const readme = readText("README.md");
const block = (language: string, begins: string) =>
  codeBlocks(readme, language).find((one) => one.startsWith(begins)) ?? "";

/** Every shell line of the documentation that begins with this program, without comments and continued lines joined. */
function commands(program: string): string[][] {
  return documents()
    .flatMap((path) => codeBlocks(readText(path), "sh"))
    .flatMap((text) => text.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").replace(/^sudo -u \w+ /, ""))
    .filter((line) => line.startsWith(`${program} `))
    .map((line) => line.split(/\s+/).slice(1));
}

describe("README.md", () => {
  it("shows files that the programs take", () => {
    expect(parseLayout(parse(block("yaml", "# main.yaml")))).toMatchObject({ ok: true });
    expect(configSchema.safeParse(parse(block("yaml", "# /etc/primacy/watcher.yaml")))).toMatchObject({
      success: true,
    });
    const writer = parse(block("yaml", "# /etc/primacy/writer.yaml")) as object;
    expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(Object.keys(writer)));
  });

  it("shows hooks in the lists to which they belong, by an absolute path, without & and pipes", () => {
    const hooks = hooksOf(block("json", "{"));
    expect(hooks.map(({ list }) => list)).toEqual([
      "PostMasterFailoverProcesses",
      "PostUnsuccessfulFailoverProcesses",
      "PostGracefulTakeoverProcesses",
    ]);
    for (const { list, command, hook } of hooks) {
      expect(list).toBe(`${String(hook)}Processes`);
      expect(command).toMatch(/^\/[^&|]+$/);
    }
  });

  it("shows a record as it is", () => {
    const shown = block("console", "$ consul kv get primacy/clusters/main/master");
    expect(readRecord(shown.slice(shown.indexOf("{")))).toMatchObject({ kind: "valid" });
  });

  it("installs the bundles that the build makes", () => {
    expect(readme).toContain("packages/writer/dist/*.cjs");
    expect(readme).toContain("packages/watcher/dist/primacy-watcher.cjs");
    for (const name of ["writer", "watcher"]) {
      expect(readme).toContain(`ln -s ../lib/primacy/primacy-${name}.cjs /usr/local/bin/primacy-${name}`);
      expect(readText(`packages/${name}/bundle.mjs`)).toContain(`dist/primacy-${name}.cjs`);
    }
  });
});

describe("the documentation", () => {
  it("has commands of primacy-writer that it takes", () => {
    const lines = commands("primacy-writer");
    expect(lines.length).toBeGreaterThan(5);
    for (const [command = "", ...rest] of lines) {
      if (!isCommand(command)) throw new Error(`there is no command "${command}"`);
      expect(readCommandLine(command, rest), `${command} ${rest.join(" ")}`).toMatchObject({ ok: true });
    }
  });

  it("has commands of primacy-watcher that there are", () => {
    const source = readText("packages/watcher/src/cli.ts");
    const known = [...source.matchAll(/\.command\("(\w+)"\)/g)].map(([, name]) => name);
    const flags = [...source.matchAll(/ption\("(--[a-z]+)/g)].map(([, flag]) => flag);
    const lines = commands("primacy-watcher");
    expect(lines.length).toBeGreaterThan(1);
    for (const [command, ...rest] of lines) {
      expect(known).toContain(command);
      expect(flags).toEqual(expect.arrayContaining(rest.filter((word) => word.startsWith("--"))));
    }
  });

  it("has scripts of package.json that there are", () => {
    const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
    const named = documents().flatMap((path) => readText(path).match(/(?<=npm run )[a-z:]+/g) ?? []);
    expect(named.length).toBeGreaterThan(2);
    for (const name of named) expect(scripts).toHaveProperty([name]);
  });

  it.each(documents())("%s has no broken link", (path) => {
    const text = withoutCode(readText(path));
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const url = new URL(
        file === "" ? (path.split("/").at(-1) ?? "") : file,
        new URL(`../../${path}`, import.meta.url),
      );
      expect(existsSync(fileURLToPath(url)), `${path}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchors(url), `${path}: ${target}`).toContain(anchor);
    }
  });

  it.each([...documents(), "docker/compose.yml", "docker/setup.mjs", "docker/make-secrets.sh"])(
    "%s names no machine's own folder and no host of strangers",
    (path) => {
      const text = readText(path);
      for (const [folder] of text.matchAll(/(?<![\w.:/<$~*-])\/[a-z]+(?=\/)/g))
        expect(FOLDERS).toContain(folder);
      for (const [, host] of text.matchAll(/https?:\/\/([a-z0-9.-]+)/g)) expect(HOSTS).toContain(host);
    },
  );
});

/** Where files of any installation lie; and paths of URLs, keys and the repository. */
const FOLDERS = [
  "/etc",
  "/usr",
  "/var",
  "/bin",
  "/run",
  "/dev",
  "/api",
  "/consul",
  "/primacy",
  "/docker-entrypoint-initdb.d",
];
const HOSTS = [
  "127.0.0.1",
  "orchestrator",
  "orchestrator1",
  "orchestrator2",
  "orchestrator3",
  "consul1",
  "consul2",
  "keepachangelog.com",
  "semver.org",
  "www.apache.org",
  "github.com",
];

function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

/** GitHub's anchors of a file's headings: lower case, words joined by "-", everything else dropped. */
function anchors(url: URL): string[] {
  const text = readText(fileURLToPath(url).slice(fileURLToPath(new URL("../../", import.meta.url)).length));
  return text
    .split("\n")
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, "")
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    );
}
