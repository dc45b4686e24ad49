import { describe, expect, it } from "vitest";
import { readOnlyAction } from "../../src/proxysql-standin/hostgroups/read-only-action.js";
import type { RuntimeServer } from "../../src/proxysql-standin/hostgroups/server.js";
import { idsFrom, server, shown } from "./servers.js";

const PAIRS = [{ writer_hostgroup: 10, reader_hostgroup: 20 }];

function action(servers: readonly RuntimeServer[], hostname: string, readOnly: boolean, alsoReader = false) {
  const options = { writerIsAlsoReader: alsoReader, newId: idsFrom(100) };
  return readOnlyAction(servers, PAIRS, { hostname, port: 3306, readOnly }, options);
}

describe("a server with read_only=0", () => {
  it("is copied from the readers to the writers, with the reader's columns", () => {
    const done = action([server(1, 20, "a", { comment: "reader", weight: 7 })], "a", false);
    expect(shown(done!.servers)).toBe("20:a=OFFLINE_HARD 10:a=ONLINE");
    expect(done!.servers[1]).toMatchObject({ id: 100, comment: "reader", weight: 7 });
    expect(done!.dropFree).toEqual([1]);
  });

  it("stays among the readers too where that is wanted", () => {
    const done = action([server(1, 20, "a")], "a", false, true);
    expect(shown(done!.servers)).toBe("20:a=ONLINE 10:a=ONLINE");
    expect(done!.dropFree).toEqual([]);
  });

  it("is left alone where it is a writer, whoever else is", () => {
    expect(action([server(1, 10, "a"), server(2, 10, "b")], "a", false)).toBeUndefined();
    expect(action([server(1, 10, "a", { status: "OFFLINE_SOFT" })], "a", false)).toBeUndefined();
  });

  it("joins the writers that are there", () => {
    const done = action([server(1, 10, "old"), server(2, 20, "new")], "new", false);
    expect(shown(done!.servers)).toBe("10:old=ONLINE 20:new=OFFLINE_HARD 10:new=ONLINE");
  });

  it("is resurrected where an administrator made it OFFLINE_HARD, connections and all", () => {
    const done = action([server(1, 10, "a", { status: "OFFLINE_HARD" }), server(2, 20, "a")], "a", false);
    expect(shown(done!.servers)).toBe("10:a=ONLINE 20:a=OFFLINE_HARD");
    expect(done!.servers[0]!.id).toBe(1);
  });

  it("is not shunned any more", () => {
    const done = action([server(1, 20, "a", { status: "SHUNNED" })], "a", false, true);
    expect(shown(done!.servers)).toBe("20:a=ONLINE 10:a=ONLINE");
  });

  it("that nobody knows changes nothing", () => {
    expect(action([server(1, 30, "a")], "a", false)).toBeUndefined();
  });
});

describe("a server with read_only=1", () => {
  it("is copied from the writers to the readers, and is no writer any more", () => {
    const done = action([server(1, 10, "a", { comment: "writer" })], "a", true);
    expect(shown(done!.servers)).toBe("10:a=OFFLINE_HARD 20:a=ONLINE");
    expect(done!.servers[1]).toMatchObject({ comment: "writer" });
    expect(done!.dropFree).toEqual([1]);
  });

  it("keeps the row that it has among the readers", () => {
    const done = action([server(1, 10, "a"), server(2, 20, "a", { comment: "mine" })], "a", true);
    expect(shown(done!.servers)).toBe("10:a=OFFLINE_HARD 20:a=ONLINE");
    expect(done!.servers[1]).toMatchObject({ id: 2, comment: "mine" });
  });

  it("is left alone where it is a reader", () => {
    expect(action([server(1, 20, "a")], "a", true)).toBeUndefined();
  });
});
