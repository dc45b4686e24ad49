import { serverForTests } from "@primacy/testkit";
import { describe } from "vitest";
import type { Kind } from "./proxysql.context.js";
import { proxySqlClientsSuite } from "./proxysql-clients.suite.js";
import { proxySqlDeathsSuite } from "./proxysql-deaths.suite.js";
import { proxySqlLeavingSuite } from "./proxysql-traffic.suite.js";

const mariadb = serverForTests("mariadb", "ProxySQL's traffic port, which needs servers behind it");
const real = serverForTests("proxysql", "ProxySQL's traffic port against the real ProxySQL");

function suites(kind: Kind): void {
  describe("a server leaves its hostgroup", () => {
    proxySqlLeavingSuite(kind);
  });
  describe("clients and servers", () => {
    proxySqlClientsSuite(kind);
  });
  describe("deaths", () => {
    proxySqlDeathsSuite(kind);
  });
}

describe.skipIf(!mariadb)("the ProxySQL stand-in", () => {
  suites("stand-in");
});

describe.skipIf(!mariadb || !real)("real ProxySQL", () => {
  suites("real");
});
