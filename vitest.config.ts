import { defineConfig } from "vitest/config";

/** Tests run on the sources of every package, never on a stale build. */
const source = ["primacy-source"];
const resolve = { conditions: source };
const ssr = { resolve: { conditions: source, externalConditions: source } };

function project(name: string, include: string[], timeoutMs: number, parallel: boolean) {
  return {
    resolve,
    ssr,
    test: {
      name,
      include,
      environment: "node" as const,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      fileParallelism: parallel,
    },
  };
}

export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      project("unit", ["packages/*/test/**/*.test.ts", "test/docs/**/*.test.ts"], 20_000, true),
      project("conformance", ["test/conformance/**/*.test.ts"], 60_000, false),
      project("e2e", ["test/e2e/**/*.test.ts"], 180_000, false),
    ],
  },
});
