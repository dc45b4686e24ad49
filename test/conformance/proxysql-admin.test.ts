import { serverForTests } from "@primacy/testkit";
import { describe } from "vitest";
import { proxySqlAdminSuite } from "./proxysql-admin.suite.js";
import type { Kind } from "./proxysql.context.js";
import { proxySqlLayersSuite } from "./proxysql-layers.suite.js";
import { proxySqlLifecycleSuite } from "./proxysql-lifecycle.suite.js";
import { proxySqlStatementsSuite } from "./proxysql-statements.suite.js";

const real = serverForTests("proxysql", "ProxySQL's admin port against the real ProxySQL");

function suites(kind: Kind): void {
  describe("admin port", () => {
    proxySqlAdminSuite(kind);
  });
  describe("statements", () => {
    proxySqlStatementsSuite(kind);
  });
  describe("layers", () => {
    proxySqlLayersSuite(kind);
  });
  describe("life cycle", () => {
    proxySqlLifecycleSuite(kind);
  });
}

describe("the ProxySQL stand-in", () => {
  suites("stand-in");
});

describe.skipIf(!real)("real ProxySQL", () => {
  suites("real");
});
