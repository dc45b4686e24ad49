import { serverForTests, startConsul, startConsulStandIn } from "@primacy/testkit";
import { describe } from "vitest";
import { consulStoreFaultSuite } from "./consul-store-faults.suite.js";
import { consulStoreSuite } from "./consul-store.suite.js";

const consul = serverForTests("consul", "the store on a real Consul");

const standIn = () => startConsulStandIn({ sessionTtlMinMs: 1000 });
consulStoreSuite("the stand-in", standIn);
consulStoreFaultSuite("the stand-in", standIn);

describe.skipIf(!consul)("with a real Consul", () => {
  const real = async () => {
    const server = await startConsul({ sessionTtlMin: "1s" });
    return { address: server.httpAddr, close: () => server.close() };
  };
  consulStoreSuite(`Consul ${consul?.version ?? ""}`, real);
  consulStoreFaultSuite(`Consul ${consul?.version ?? ""}`, real);
});
