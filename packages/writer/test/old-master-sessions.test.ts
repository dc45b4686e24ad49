import { describe, expect, it } from "vitest";
import { clientSessions } from "../src/old-master/sessions.js";

const row = (Id: number, User: string, Command: string) => ({ Id, User, Command, Host: "h:1", Time: 3 });
const kept = { ids: [7], users: ["primacy", "orchestrator"] };

describe("whose sessions are killed", () => {
  it("clients', in whatever state", () => {
    const rows = [
      row(20, "app", "Sleep"),
      row(21, "app", "Query"),
      row(22, "root", "Execute"),
      row(23, "monitor", "Sleep"),
    ];
    expect(clientSessions(rows, kept).map(({ id }) => id)).toEqual([20, 21, 22, 23]);
  });

  it.each([
    ["our own session", row(7, "app", "Query")],
    ["our account's others", row(8, "primacy", "Sleep")],
    ["Orchestrator", row(9, "orchestrator", "Query")],
    ["a replica of MariaDB or by position", row(10, "repl", "Binlog Dump")],
    ["a replica by GTID", row(11, "repl", "Binlog Dump GTID")],
    ["MySQL's receiver and appliers", row(12, "system user", "Connect")],
    ["MariaDB's applier", row(13, "system user", "Slave_SQL")],
    ["MariaDB's parallel applier", row(14, "system user", "Slave_worker")],
    ["the event scheduler", row(15, "event_scheduler", "Daemon")],
    ["plugins of MySQL", row(16, "mysql.session", "Sleep")],
    ["somebody who has not logged in", row(17, "unauthenticated user", "Connect")],
    ["who is told already", row(18, "app", "Killed")],
  ])("not %s", (_who, one) => {
    expect(clientSessions([one], kept)).toEqual([]);
  });

  it("a row that is none is nobody", () => {
    expect(clientSessions([{ Id: null, User: "app", Command: "Sleep" }, {}], kept)).toEqual([]);
  });
});
