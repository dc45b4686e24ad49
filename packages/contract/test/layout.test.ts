import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalServer,
  isCandidate,
  type Layout,
  layoutServer,
  layoutText,
  parseLayout,
  readLayout,
} from "../src/index.js";
import { garbage } from "./arbitraries.js";

const least = { cluster: "main", hostgroups: { writer: 10 }, servers: [{ host: "db1" }] };

function layout(value: unknown): Layout {
  const parsed = parseLayout(value);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

describe("a layout", () => {
  it("has every default written out", () => {
    expect(layout(least)).toEqual({
      format: 1,
      cluster: "main",
      hostgroups: { writer: 10, reader: null },
      servers: [{ host: "db1", port: 3306, candidate: true, reads: true, alsoKnownAs: [] }],
      defaults: { weight: 1, maxConnections: 1000, useSsl: false },
      masterReads: "fallback",
      readerFloor: 1,
      discover: false,
      maxLagSeconds: 30,
      quarantineSeconds: 60,
      drainSeconds: 2,
      fenceSeconds: 60,
      onConsulLoss: "keep",
      leaseSeconds: 8,
      onFenceFailure: "continue",
      openedBy: "orchestrator",
    });
  });

  it("leaves a server's columns to the layout's defaults unless it says otherwise", () => {
    const { servers, defaults } = layout({
      ...least,
      servers: [{ host: "db1" }, { host: "db2", weight: 0 }],
      defaults: { weight: 5 },
    });
    expect(defaults).toEqual({ weight: 5, maxConnections: 1000, useSsl: false });
    expect(servers.map(({ weight }) => weight)).toEqual([undefined, 0]);
    expect(servers.map(({ weight }) => weight ?? defaults.weight)).toEqual([5, 0]);
  });

  const bad: [what: string, value: unknown, problem: RegExp][] = [
    ["no object", "main", /expected object/i],
    ["nothing", null, /expected object/i],
    ["a list", [least], /./],
    ["another format", { ...least, format: 2 }, /format/],
    ["a misspelt policy", { ...least, masterRead: "always" }, /masterRead/],
    ["an unknown policy", { ...least, masterReads: "sometimes" }, /masterReads/],
    ["a misspelt field of a server", { ...least, servers: [{ host: "db1", wieght: 1 }] }, /wieght/],
    ["no server", { ...least, servers: [] }, /servers/],
    ["no candidate", { ...least, servers: [{ host: "db1", candidate: false }] }, /no server is a candidate/],
    ["one hostgroup for both", { ...least, hostgroups: { writer: 10, reader: 10 } }, /must be two/],
    ["a negative hostgroup", { ...least, hostgroups: { writer: -1 } }, /hostgroups.writer/],
    ["a server twice", { ...least, servers: [{ host: "db1" }, { host: "DB1" }] }, /db1:3306 is named twice/],
    [
      "a server under another's name",
      { ...least, servers: [{ host: "db1" }, { host: "db2", alsoKnownAs: ["db1"] }] },
      /db1:3306 is named twice/,
    ],
    ["a name that is none", { ...least, servers: [{ host: "db1", alsoKnownAs: ["a:b:c"] }] }, /alsoKnownAs/],
    ["a port out of range", { ...least, servers: [{ host: "db1", port: 0 }] }, /port/],
    ["a weight out of range", { ...least, defaults: { weight: -1 } }, /weight/],
    ["no time to drain", { ...least, drainSeconds: 0 }, /drainSeconds/],
    [
      "257 servers",
      { ...least, servers: Array.from({ length: 257 }, (_, n) => ({ host: `db${n}` })) },
      /servers/,
    ],
  ];

  it.each(bad)("with %s is refused, and it is said why", (_what, value, problem) => {
    const parsed = parseLayout(value);
    if (parsed.ok) throw new Error("it was taken");
    expect(parsed.problem).toMatch(problem);
  });

  it("is read as it was written", () => {
    const full = layout({
      ...least,
      hostgroups: { writer: 10, reader: 20 },
      servers: [
        { host: "db1", alsoKnownAs: ["10.0.0.1", "[2001:db8::1]:3307"], weight: 5, useSsl: true },
        { host: "db2", port: 3307, candidate: false, reads: false, maxConnections: 7 },
      ],
      masterReads: "always",
    });
    const text = layoutText(full);
    expect(readLayout(text)).toEqual({ kind: "valid", value: full, text });
    expect(layoutText(layout(JSON.parse(text)))).toBe(text);
    expect(text).toContain('"[2001:db8::1]:3307"');
  });

  it("is never made of garbage, and garbage never throws", () => {
    fc.assert(
      fc.property(garbage({ format: 1, ...least }), (text) => {
        const read = readLayout(text);
        if (read.kind === "valid") expect(read.value.servers.some(({ candidate }) => candidate)).toBe(true);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(parseLayout(value).ok).toBe(false);
      }),
    );
  });
});

describe("the servers of a layout", () => {
  const known = layout({
    ...least,
    servers: [
      { host: "db1", alsoKnownAs: ["10.0.0.1:3306"] },
      { host: "db2", candidate: false },
    ],
  });

  it("are found by any of their names, whatever the case", () => {
    expect(layoutServer(known, { host: "10.0.0.1", port: 3306 })?.host).toBe("db1");
    expect(layoutServer(known, { host: "DB1", port: 3306 })?.host).toBe("db1");
    expect(layoutServer(known, { host: "db1", port: 3307 })).toBeUndefined();
  });

  it("are called as proxies reach them; others as they are called", () => {
    expect(canonicalServer(known, { host: "10.0.0.1", port: 3306 })).toEqual({ host: "db1", port: 3306 });
    expect(canonicalServer(known, { host: "db9", port: 1 })).toEqual({ host: "db9", port: 1 });
    expect(canonicalServer(undefined, { host: "db9", port: 1 })).toEqual({ host: "db9", port: 1 });
  });

  it("may become master where the layout says so", () => {
    expect(isCandidate(known, { host: "10.0.0.1", port: 3306 })).toBe(true);
    expect(isCandidate(known, { host: "db2", port: 3306 })).toBe(false);
    expect(isCandidate(known, { host: "db9", port: 3306 })).toBe(false);
  });
});
