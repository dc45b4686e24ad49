import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Members, membersText, readMembers } from "../src/index.js";
import { at, garbage } from "./arbitraries.js";

const members: Members = {
  format: 1,
  cluster: "main",
  master: { host: "a", port: 3306 },
  observedAt: at(5),
  observedBy: "orc1",
  servers: [
    {
      host: "b",
      port: 3306,
      reachable: true,
      readOnly: true,
      replicating: true,
      ioThread: "running",
      sqlThread: "running",
      replicatesFrom: { host: "a", port: 3306 },
      followsMaster: true,
      followsMasterSince: at(1),
      lagSeconds: 0.5,
      downtime: { reason: "lost-in-recovery", endsAt: null },
      errantGtid: null,
      discovered: false,
      lastSeenAt: null,
    },
  ],
  removed: [],
  held: null,
  disagreement: null,
};

describe("members", () => {
  it("are read as they were written", () => {
    const text = membersText(members);
    expect(readMembers(text)).toEqual({ kind: "valid", value: members, text });
  });

  it("written by an older agent are read, with nothing made up", () => {
    const {
      host,
      port,
      reachable,
      readOnly,
      replicating,
      replicatesFrom,
      followsMasterSince,
      lagSeconds,
      downtime,
    } = members.servers[0]!;
    const server = {
      host,
      port,
      reachable,
      readOnly,
      replicating,
      replicatesFrom,
      followsMasterSince,
      lagSeconds,
      downtime,
    };
    const { removed: _removed, held: _held, disagreement: _disagreement, ...rest } = members;
    expect(readMembers(JSON.stringify({ ...rest, servers: [server] }))).toMatchObject({
      kind: "valid",
      value: {
        servers: [
          { ioThread: null, sqlThread: null, followsMaster: null, errantGtid: null, lastSeenAt: null },
        ],
        removed: [],
        held: null,
        disagreement: null,
      },
    });
  });

  it.each([
    ["lagSeconds", -1],
    ["lagSeconds", "0"],
    ["reachable", null],
    ["followsMasterSince", "today"],
    ["ioThread", "Yes"],
    ["replicatesFrom", { host: "//a", port: 3306 }],
    ["downtime", true],
  ])("with a server's %s %j are unusable", (field, value) => {
    const text = JSON.stringify({ ...members, servers: [{ ...members.servers[0], [field]: value }] });
    expect(readMembers(text)).toMatchObject({
      kind: "unusable",
      problem: expect.stringContaining(field) as string,
    });
  });

  it("are never made of garbage, and garbage never throws", () => {
    fc.assert(
      fc.property(garbage(members), (text) => {
        const read = readMembers(text);
        if (read.kind === "valid") expect(read.value.master.host).not.toBe("");
        else expect(read.kind).toBe("unusable");
      }),
      { numRuns: 500 },
    );
  });
});
