import { defineConfig } from "vitest/config";

/** Tests run on the sources of every package, never on a stale build. */
const source = ["primacy-source"];
const resolve = { conditions: source };
const ssr = { resolve: { conditions: source, externalConditions: source } };

const PROJECTS = ["unit", "conformance", "e2e"] as const;

/**
 * One project after the other. Only unit tests run several files at once: the others start servers, and a machine that
 * is out of breath makes time-outs of what is none.
 */
function project(name: (typeof PROJECTS)[number], include: string[], timeoutMs: number) {
  return {
    resolve,
    ssr,
    test: {
      name,
      include,
      environment: "node" as const,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      fileParallelism: name === "unit",
      ...(name === "unit" ? {} : { maxWorkers: 1 }),
      sequence: { groupOrder: PROJECTS.indexOf(name) },
    },
  };
}

export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      project("unit", ["packages/*/test/**/*.test.ts", "test/docs/**/*.test.ts"], 20_000),
      project("conformance", ["test/conformance/**/*.test.ts"], 60_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 180_000),
    ],
  },
});
