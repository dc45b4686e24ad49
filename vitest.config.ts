import { defineConfig } from "vitest/config";

/** Tests run on the sources of every package, never on a stale build. */
const source = ["primacy-source"];
const resolve = { conditions: source };
const ssr = { resolve: { conditions: source, externalConditions: source } };

const PROJECTS = ["unit", "simulation", "conformance", "e2e"] as const;

type Project = (typeof PROJECTS)[number];

/** How many files at once, where it is not vitest that says so. */
const WORKERS: Partial<Record<Project, number | string>> = { simulation: "100%", conformance: 1, e2e: 1 };

/**
 * One project after the other. Only what starts no servers runs several files at once: a machine that is out of breath
 * makes time-outs of what is none.
 */
function project(name: Project, include: string[], timeoutMs: number) {
  return {
    resolve,
    ssr,
    test: {
      name,
      include,
      environment: "node" as const,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      ...(WORKERS[name] === undefined ? {} : { maxWorkers: WORKERS[name] }),
      fileParallelism: WORKERS[name] !== 1,
      sequence: { groupOrder: PROJECTS.indexOf(name) },
    },
  };
}

export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      project("unit", ["packages/*/test/**/*.test.ts", "test/docs/**/*.test.ts"], 20_000),
      project("simulation", ["test/simulation/**/*.test.ts"], 300_000),
      project("conformance", ["test/conformance/**/*.test.ts"], 60_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 180_000),
    ],
  },
});
