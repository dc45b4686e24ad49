import { serverForTests, startConsul, startConsulStandIn } from "@primacy/testkit";
import { describe } from "vitest";
import { faultsSuite } from "./writer-faults.suite.js";
import { hooksSuite } from "./writer-hooks.suite.js";
import { realConsulSuite } from "./writer-real-consul.suite.js";
import { setupSuite } from "./writer-setup.suite.js";
import { spoolSuite } from "./writer-spool.suite.js";
import { type RunningConsul, useWriterBench } from "./writer.bench.js";

const consul = serverForTests("consul", "the writer against a real Consul");

type Suite = typeof hooksSuite;

function suites(name: string, startOne: () => Promise<RunningConsul>, all: readonly Suite[]): void {
  describe(`primacy-writer with ${name}`, () => {
    const bench = useWriterBench(startOne);
    for (const suite of all) suite(bench);
  });
}

const everything = [setupSuite, hooksSuite, spoolSuite, faultsSuite];

// The conformance suite answers for the stand-in; where the real one is at hand, the long part runs on that.
suites("the stand-in", () => startConsulStandIn(), consul ? [hooksSuite] : everything);

describe.skipIf(!consul)("with a real Consul", () => {
  const startReal = async () => {
    const server = await startConsul();
    return { address: server.httpAddr, close: () => server.close() };
  };
  suites(`Consul ${consul?.version ?? ""}`, startReal, everything);
  realConsulSuite();
});
