import { serverForTests, startMariaDb } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import type { StartDatabase } from "./database.context.js";
import { databaseErrorsSuite } from "./database-errors.suite.js";
import { databasePromotionSuite } from "./database-promotion.suite.js";
import { databaseReplicationSuite } from "./database-replication.suite.js";
import { databaseStatementsSuite } from "./database-statements.suite.js";
import { databaseTransactionsSuite } from "./database-transactions.suite.js";

const mariadb = serverForTests("mariadb", "what the MariaDB stand-in answers, asked of a real MariaDB");

function databaseSuites(start: StartDatabase): void {
  describe("statements", () => databaseStatementsSuite(start));
  describe("transactions", () => databaseTransactionsSuite(start));
  describe("errors", () => databaseErrorsSuite(start));
  describe("replication", () => databaseReplicationSuite(start));
  describe("promotion", () => databasePromotionSuite(start));
}

describe("the MariaDB stand-in", () => {
  databaseSuites((options) => startMariaDb({ ...options, kind: "stand-in" }));

  it("takes no option that it would not follow", async () => {
    const options = { serverId: 1, kind: "stand-in", extra: ["--skip-log-bin"] } as const;
    await expect(startMariaDb(options)).rejects.toThrow(RangeError);
  });
});

describe.skipIf(!mariadb)("real MariaDB", () => {
  databaseSuites(startMariaDb);
});
