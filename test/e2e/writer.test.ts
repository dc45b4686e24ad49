import { serverForTests, startConsul, startConsulStandIn } from "@primacy/testkit";
import { describe } from "vitest";
import { faultsSuite } from "./writer-faults.suite.js";
import { hooksSuite } from "./writer-hooks.suite.js";
import { realConsulSuite } from "./writer-real-consul.suite.js";
import { setupSuite } from "./writer-setup.suite.js";
import { spoolSuite } from "./writer-spool.suite.js";
import { type RunningConsul, useWriterBench } from "./writer.bench.js";

const consul = serverForTests("consul", "the writer against a real Consul");

function suites(name: string, startOne: () => Promise<RunningConsul>): void {
  describe(`primacy-writer with ${name}`, () => {
    const bench = useWriterBench(startOne);
    setupSuite(bench);
    hooksSuite(bench);
    spoolSuite(bench);
    faultsSuite(bench);
  });
}

suites("the stand-in", () => startConsulStandIn());

describe.skipIf(!consul)("with a real Consul", () => {
  suites(`Consul ${consul?.version ?? ""}`, async () => {
    const server = await startConsul();
    return { address: server.httpAddr, close: () => server.close() };
  });
  realConsulSuite();
});
