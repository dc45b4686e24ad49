import { serverForTests, startMariaDb, startMySql } from "@primacy/testkit";
import { describe } from "vitest";
import { oldMasterSuite } from "./old-master.suite.js";

const mariadb = serverForTests("mariadb", "the old master's fence on a real MariaDB");
const mysql = serverForTests("mysql", "the old master's fence on a real MySQL");

describe.skipIf(!mariadb)("on the old master itself: MariaDB", () => {
  oldMasterSuite({
    heading: "MariaDB 10.5 and later",
    start: startMariaDb,
    administrator: "ALL PRIVILEGES",
    superReadOnly: false,
  });
});

describe.skipIf(!mysql)("on the old master itself: MySQL", () => {
  oldMasterSuite({
    heading: "MySQL 8.0 and later",
    start: startMySql,
    administrator: "ALL",
    superReadOnly: true,
  });
});
