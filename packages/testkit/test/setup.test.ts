import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

// The set-up scripts are plain JavaScript: they run before anything is installed.
const setup = join(import.meta.dirname, "..", "setup");
const { sourcesForSuite } = (await import(join(setup, "apt-sources.mjs"))) as {
  sourcesForSuite: (
    files: { name: string; text: string }[],
    codename: string,
    suite: string,
  ) => { name: string; text: string }[];
};
const { countTests } = (await import(join(setup, "report.mjs"))) as {
  countTests: (report: unknown) => { passed: number; failed: number; skipped: number };
};

describe("apt sources for another suite", () => {
  const rewrite = (name: string, text: string) =>
    sourcesForSuite([{ name, text }], "bookworm", "bullseye")[0]?.text;

  it("rewrites the stanza that has the machine's suite and drops the others", () => {
    const text = `Types: deb deb-src
# a remark
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;
    expect(rewrite("debian.sources", text)).toBe(`types: deb
uris: http://mirror.example/debian
suites: bullseye
components: main
signed-by: /usr/share/keyrings/debian-archive-keyring.gpg
`);
  });

  it("keeps an inline key, and leaves a disabled stanza out", () => {
    const stanza = (more: string) =>
      `Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n${more}`;
    const key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n";
    expect(rewrite("a.sources", stanza(key))).toContain(
      "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
    );
    expect(rewrite("a.sources", stanza("Enabled: no\n"))).toBeUndefined();
  });

  it("rewrites the classic format with its options", () => {
    const text = `# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=amd64] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/debian bookworm-updates main
deb http://other.example/debian stable main
`;
    expect(rewrite("sources.list", text)).toBe(
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=amd64] http://mirror.example/debian bullseye main\n" +
        "deb http://other.example/debian bullseye main\n",
    );
  });

  it("leaves foreign repositories out", () => {
    expect(rewrite("node.list", "deb http://packages.example/node nodistro main\n")).toBeUndefined();
  });
});

describe("package-lock.json", () => {
  it("has the optional packages of every platform, or npm ci refuses it", () => {
    interface Entry {
      optionalDependencies?: Record<string, string>;
    }
    const text = readFileSync(join(setup, "..", "..", "..", "package-lock.json"), "utf8");
    const { packages } = JSON.parse(text) as { packages: Record<string, Entry> };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
      ),
    );
    expect(missing).toEqual([]);
  });
});

describe("the count at the end of a run", () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  });

  it("counts passed, failed and everything else as skipped", () => {
    const testResults = [
      file("failed", "passed", "failed", "pending"),
      file("passed", "passed", "todo", "skipped"),
    ];
    expect(countTests({ testResults })).toEqual({ passed: 2, failed: 1, skipped: 3 });
  });

  it("counts a file that could not be loaded, and one whose beforeAll failed, as a failure", () => {
    const testResults = [file("failed"), file("failed", "pending", "pending")];
    expect(countTests({ testResults })).toEqual({ passed: 0, failed: 2, skipped: 2 });
  });

  it("counts nothing where vitest left no report", () => {
    expect(countTests(undefined)).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});
