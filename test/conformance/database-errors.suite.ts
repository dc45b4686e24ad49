import { accounts } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import { databaseContext, type StartDatabase } from "./database.context.js";

const denied = (privileges: string) => ({
  errno: 1227,
  sqlState: "42000",
  message: `Access denied; you need (at least one of) the ${privileges} privilege(s) for this operation`,
});

/** What is refused, by which number and in which words. */
export function databaseErrorsSuite(start: StartDatabase): void {
  const database = databaseContext(start);

  describe("an error", () => {
    it.each<[number, string, string]>([
      [1054, "Unknown column 'no' in 'SELECT'", "SELECT no FROM app.notes"],
      [1054, "Unknown column 'no' in 'WHERE'", "SELECT id FROM app.notes WHERE no = 1"],
      [1054, "Unknown column 'no' in 'INSERT INTO'", "INSERT INTO app.notes (no) VALUES (1)"],
      [1136, "Column count doesn't match value count at row 1", "INSERT INTO app.notes (id) VALUES (1, 2)"],
      [1048, "Column 'id' cannot be null", "INSERT INTO app.notes (id) VALUES (NULL)"],
      [1364, "Field 'id' doesn't have a default value", "INSERT INTO app.notes (note) VALUES ('a')"],
      [
        1366,
        "Incorrect integer value: 'x' for column `app`.`notes`.`id` at row 1",
        "INSERT INTO app.notes (id) VALUES ('x')",
      ],
      [1264, "Out of range value for column 'id' at row 1", "INSERT INTO app.notes (id) VALUES (-1)"],
      [1406, "Data too long for column 'note' at row 1", "INSERT INTO app.notes VALUES (1, 'far too long')"],
      [1146, "Table 'app.no' doesn't exist", "SELECT * FROM app.no"],
      [1046, "No database selected", "SELECT * FROM notes"],
      [1049, "Unknown database 'no'", "USE no"],
      [1049, "Unknown database 'no'", "CREATE TABLE no.notes (id INT)"],
      [1050, "Table 'notes' already exists", "CREATE TABLE app.notes (id INT)"],
      [
        1304,
        "FUNCTION answered_by already exists",
        "CREATE FUNCTION app.answered_by() RETURNS INT NO SQL RETURN 1",
      ],
      [1305, "FUNCTION app.missing does not exist", "SELECT app.missing()"],
      [1193, "Unknown system variable 'super_read_only'", "SELECT @@super_read_only"],
      [1193, "Unknown system variable 'no'", "SET GLOBAL no = 1"],
      [
        1229,
        "Variable 'read_only' is a GLOBAL variable and should be set with SET GLOBAL",
        "SET read_only = 1",
      ],
      [1231, "Variable 'autocommit' can't be set to the value of '5'", "SET autocommit = 5"],
      [1941, "Could not parse GTID list", "SELECT MASTER_GTID_WAIT('no', 1)"],
      [1094, "Unknown thread id: 999999", "KILL 999999"],
      [1065, "Query was empty", ""],
    ])("%i: %s", async (errno, message, sql) => {
      await expect(database.server.query(sql)).rejects.toMatchObject({ errno, message });
    });

    it("1064: for what is no statement, and it says where", async () => {
      const wrong = database.server.query("FROBNICATE app.notes");
      await expect(wrong).rejects.toMatchObject({ errno: 1064, sqlState: "42000" });
      await expect(wrong).rejects.toThrow("FROBNICATE app.notes");
    });

    it.each<[number, string, string]>([
      [
        1142,
        "SELECT command denied to user 'monitor'@'127.0.0.1' for table `app`.`notes`",
        "SELECT id FROM app.notes",
      ],
      [
        1142,
        "INSERT command denied to user 'monitor'@'127.0.0.1' for table `app`.`notes`",
        "INSERT INTO app.notes (id) VALUES (1)",
      ],
      [
        1142,
        "CREATE command denied to user 'monitor'@'127.0.0.1' for table `app`.`x`",
        "CREATE TABLE app.x (id INT)",
      ],
      [
        1370,
        "execute command denied to user 'monitor'@'%' for routine 'app.answered_by'",
        "SELECT app.answered_by()",
      ],
      [1044, "Access denied for user 'monitor'@'%' to database 'app'", "USE app"],
    ])("%i: %s", async (errno, message, sql) => {
      await expect(database.run(accounts.monitor, sql)).rejects.toMatchObject({ errno, message });
    });

    it.each([
      ["READ_ONLY ADMIN", "SET GLOBAL read_only=0"],
      ["SUPER, REPLICATION SLAVE ADMIN", "STOP SLAVE"],
      ["SUPER, REPLICATION SLAVE ADMIN", "START SLAVE"],
      ["SUPER, REPLICATION SLAVE ADMIN", "CHANGE MASTER TO MASTER_HOST='_'"],
      ["RELOAD", "RESET SLAVE ALL"],
      ["SUPER, SLAVE MONITOR", "SHOW SLAVE STATUS"],
      ["SUPER, BINLOG MONITOR", "SHOW MASTER STATUS"],
      ["REPLICATION MASTER ADMIN", "SHOW SLAVE HOSTS"],
      ["CREATE USER", "CREATE USER 'x'@'%' IDENTIFIED BY 'y'"],
    ])("1227: %s is needed for %s", async (privileges, sql) => {
      await expect(database.run(accounts.app, sql, "app")).rejects.toMatchObject(denied(privileges));
    });
  });
}
