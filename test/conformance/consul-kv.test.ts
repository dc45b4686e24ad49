import {
  type Consul,
  type ConsulStandIn,
  serverForTests,
  startConsul,
  startConsulStandIn,
} from "@primacy/testkit";
import { afterAll, describe } from "vitest";
import { caller } from "./consul-http.js";
import { consulKvSuite } from "./consul-kv.suite.js";

const real = serverForTests("consul", "Consul's keys, transactions and sessions against real Consul");

describe("the Consul stand-in", () => {
  let standIn: ConsulStandIn | undefined;
  afterAll(() => standIn?.close());

  consulKvSuite(async () => {
    standIn = await startConsulStandIn({ sessionTtlMinMs: 1_000 });
    return caller(standIn.address);
  });
});

describe.skipIf(!real)("real Consul", () => {
  let consul: Consul | undefined;
  afterAll(() => consul?.close());

  consulKvSuite(async () => {
    consul = await startConsul({ sessionTtlMin: "1s" });
    return caller(consul.httpAddr);
  });
});
