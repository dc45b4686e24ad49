import { describe, expect, it } from "vitest";
import { openServer } from "../src/new-master/open-server.js";
import { type SilenceOrder, silenceOldMaster } from "../src/old-master/silence.js";
import { DatabaseError } from "../src/database/session.js";
import { FakeDatabase, databases } from "./fake-database.js";
import { FakeWorld, db1, db2 } from "./fakes.js";

function set(version = "9.7.4") {
  const world = new FakeWorld();
  const [old, next] = [new FakeDatabase(db1), new FakeDatabase(db2)];
  old.version = version;
  next.version = version;
  const context = databases(world, old, next);
  const silence = (order: Partial<SilenceOrder> = {}) =>
    silenceOldMaster(
      { outgoing: db1, successor: db2, keepUsers: ["orchestrator"], deadline: 5000, ...order },
      context,
    );
  return { world, old, next, context, silence };
}

describe("an old master is silenced", () => {
  it("read-only first, then whoever could write, then the successor", async () => {
    const { old, next, silence } = set();
    old.sessions = [
      { id: 1, user: "app" },
      { id: 2, user: "orchestrator" },
      { id: 3, user: "repl", command: "Binlog Dump GTID" },
      { id: 4, user: "app" },
    ];
    const done = await silence();
    expect(done).toMatchObject({
      kind: "done",
      wasWritable: true,
      proof: { readOnly: true, killed: 2, left: 0, caughtUp: true },
      notes: [],
    });
    const said = old.said.filter((sql) => /^(?:SET GLOBAL|KILL)/.test(sql));
    expect(said[0]).toBe("SET GLOBAL read_only=1, GLOBAL super_read_only=1");
    expect(said.slice(1)).toEqual(["KILL CONNECTION 1", "KILL CONNECTION 4"]);
    expect(old.sessions.map(({ id }) => id)).toEqual([2, 3]);
    expect(next.said.at(-1)).toContain(
      "WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5'",
    );
    expect([old.open, next.open]).toEqual([0, 0]);
  });

  it("that is read-only already is not set once more, and whoever takes it back need not", async () => {
    const { old, silence } = set();
    old.readOnly = true;
    expect(await silence()).toMatchObject({ wasWritable: false, proof: { readOnly: true } });
    expect(old.said.some((sql) => sql.startsWith("SET GLOBAL"))).toBe(false);
  });

  it("whoever comes later counts no more, or a busy application would hold it up for ever", async () => {
    const { world, old, silence } = set();
    old.sessions = [{ id: 1, user: "app" }];
    let next = 500;
    old.before = (sql) => {
      if (sql === "SHOW PROCESSLIST" && old.readOnly) old.sessions.push({ id: next++, user: "app" });
    };
    expect(await silence()).toMatchObject({ proof: { readOnly: true, left: 0 } });
    expect(world.elapsedMs).toBeLessThan(1000);
  });

  it("a session that may not be killed doesn't count under super_read_only, and does without", async () => {
    for (const [version, left] of [
      ["9.7.4", 0],
      ["10.11.14-MariaDB", 1],
    ] as const) {
      const { old, silence } = set(version);
      old.sessions = [
        { id: 1, user: "root" },
        { id: 2, user: "app" },
      ];
      old.unkillable.set(1, 1095);
      const done = await silence();
      expect(done).toMatchObject({ proof: { left, killed: 1 }, notes: ["db1:3306: error 1095"] });
    }
  });

  it("where there is room for one session only, room is made", async () => {
    const { old, silence } = set();
    old.room = 1;
    old.sessions = [{ id: 1, user: "app" }];
    expect(await silence()).toMatchObject({ proof: { readOnly: true, killed: 1, left: 0 } });
  });

  it("that can't be reached is left as it is", async () => {
    const { silence } = set();
    expect(await silence({ outgoing: { host: "gone", port: 1 } })).toEqual({
      kind: "unreachable",
      problem: "gone:1: ECONNREFUSED",
    });
  });

  it("too old a server is refused, not guessed at", async () => {
    const { silence } = set("5.6.51");
    expect(await silence()).toMatchObject({ kind: "unreachable", problem: expect.stringContaining("5.7.8") });
  });

  it("a connection that breaks in between loses nothing that is proved already", async () => {
    const { old, silence } = set();
    old.readOnly = true;
    old.sessions = [{ id: 1, user: "app" }];
    old.before = (sql) => {
      if (sql.startsWith("KILL"))
        throw new DatabaseError("unreachable", "db1:3306: read ECONNRESET", undefined);
    };
    expect(await silence()).toMatchObject({
      kind: "done",
      proof: { readOnly: true, killed: 0, left: 1, caughtUp: null },
      notes: ["db1:3306: read ECONNRESET"],
    });
  });

  it("a successor that lacks something, can't tell, or can't be reached: said as that", async () => {
    const lacks = set();
    lacks.next.waited = 1;
    expect(await lacks.silence()).toMatchObject({ proof: { caughtUp: false } });
    const mute = set();
    mute.next.waited = null;
    expect(await mute.silence()).toMatchObject({ proof: { caughtUp: null } });
    const gone = set();
    expect(await gone.silence({ successor: { host: "gone", port: 1 } })).toMatchObject({
      proof: { readOnly: true, caughtUp: null },
      notes: [expect.stringContaining("could not be asked: gone:1")],
    });
  });
});

describe("a new master is opened", () => {
  it("forgets the old one first, and reads back that it takes writes", async () => {
    const { next, context } = set();
    next.readOnly = true;
    next.source = db1;
    expect(await openServer(db2, [db1], 5000, context)).toBeUndefined();
    expect(next.said.filter((sql) => /^(?:STOP|RESET|SET)/.test(sql))).toEqual([
      "STOP REPLICA IO_THREAD",
      "STOP REPLICA",
      "RESET REPLICA ALL",
      "SET GLOBAL super_read_only=0, GLOBAL read_only=0",
    ]);
    expect(next.said.at(-1)).toContain("SHOW GLOBAL VARIABLES");
  });

  it("that follows somebody else goes on following", async () => {
    const { next, context } = set();
    next.readOnly = true;
    next.source = { host: "elsewhere", port: 3306 };
    expect(await openServer(db2, [db1], 5000, context)).toBeUndefined();
    expect(next.source).not.toBeNull();
  });

  it("that says OK and stays read-only is not open", async () => {
    const { next, context } = set();
    next.readOnly = true;
    next.before = (sql) => {
      if (sql.startsWith("SHOW GLOBAL")) next.readOnly = true;
    };
    expect(await openServer(db2, [db1], 5000, context)).toMatch(/still read-only/);
  });
});
