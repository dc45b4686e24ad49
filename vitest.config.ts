import { defineConfig } from "vitest/config";

/** Tests run on the sources of every package, never on a stale build. */
const source = ["primacy-source"];
const resolve = { conditions: source };
const ssr = { resolve: { conditions: source, externalConditions: source } };

const PROJECTS = ["unit", "simulation", "conformance", "e2e"] as const;

type Project = (typeof PROJECTS)[number];

/** How many files at once, where it is not vitest that says so. */
const WORKERS: Partial<Record<Project, number | string>> = { simulation: "100%", conformance: 2, e2e: 2 };

/**
 * One project after the other. What starts servers mostly waits for them: two files at once halve the time. More than
 * that, and a machine of two cores that is out of breath makes time-outs of what is none.
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
      sequence: { groupOrder: PROJECTS.indexOf(name) },
    },
  };
}

export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      project("unit", ["packages/*/test/**/*.test.ts", "test/docs/**/*.test.ts"], 60_000),
      project("simulation", ["test/simulation/**/*.test.ts"], 300_000),
      project("conformance", ["test/conformance/**/*.test.ts"], 180_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 300_000),
    ],
  },
});
