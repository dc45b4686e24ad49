import { serverForTests } from "@primacy/testkit";
import { describe } from "vitest";
import { proxySqlMonitorSuite } from "./proxysql-monitor.suite.js";

const mariadb = serverForTests("mariadb", "ProxySQL's monitor, which needs servers to watch");
const real = serverForTests("proxysql", "ProxySQL's monitor against the real ProxySQL");

describe.skipIf(!mariadb)("the ProxySQL stand-in", () => {
  proxySqlMonitorSuite("stand-in");
});

describe.skipIf(!mariadb || !real)("real ProxySQL", () => {
  proxySqlMonitorSuite("real");
});
