import { serverForTests } from "@primacy/testkit";
import { describe } from "vitest";
import { orchestratorSuite } from "./orchestrator.suite.js";

const mariadb = serverForTests("mariadb", "Orchestrator's takeovers and failovers");
const real = serverForTests("orchestrator", "the same suite on the real Orchestrator");

describe.skipIf(!mariadb)("the Orchestrator stand-in", () => {
  orchestratorSuite("stand-in");
});

describe.skipIf(!mariadb || !real)("the real Orchestrator", () => {
  orchestratorSuite("real");
});
