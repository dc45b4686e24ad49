import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareServers,
  formatServer,
  includesServer,
  makeServer,
  parseServer,
  printable,
  sameServer,
  type Server,
} from "../src/index.js";
import { canonicalHost, serverSchema } from "../src/server.js";

const label = fc.stringMatching(/^[a-z0-9_](?:[a-z0-9_-]{0,12}[a-z0-9_])?$/);
const hostName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const host = fc.oneof(hostName, fc.ipV4(), fc.ipV6());
const server = fc
  .tuple(host, fc.integer({ min: 1, max: 65_535 }))
  .map(([name, port]) => makeServer(name, port))
  .filter((parsed) => parsed.ok)
  .map((parsed): Server => parsed.value);

describe("a host", () => {
  it.each([
    ["DB1.Example.NET", "db1.example.net"],
    ["db1.", "db1"],
    ["db_1-a", "db_1-a"],
    ["10.0.0.1", "10.0.0.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["::FFFF:1.2.3.4", "::ffff:102:304"],
  ])("%s is written %s", (text, canonical) => {
    expect(canonicalHost(text)).toBe(canonical);
  });

  it.each([
    "",
    ".",
    "db1..",
    "-db1",
    "db1-",
    "db 1",
    "db1:3306",
    "[db1]",
    "{successorHost}",
    "//db1",
    "db1\n",
    "dbé",
    // Letters whose lower case is a plain k: another name than the one that was written.
    "\u212Adb",
    "[::1",
    "::1]",
    "fe80::1%eth0",
    "a".repeat(64),
    `${"a.".repeat(127)}ab`,
    "db1;drop",
    "db1'",
  ])("%j is none", (text) => {
    expect(canonicalHost(text)).toBeUndefined();
  });

  it("has one way in which it is written", () => {
    fc.assert(
      fc.property(host, (text) => {
        const once = canonicalHost(text);
        expect(once).toBeDefined();
        expect(canonicalHost(once!)).toBe(once);
        expect(canonicalHost(text.toUpperCase())).toBe(once);
      }),
    );
  });

  it("is never made of garbage, and garbage never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.stringMatching(/^[\][:a-f0-9.%]*$/)),
        (text) => {
          const canonical = canonicalHost(text);
          if (canonical === undefined) return;
          expect(canonical).toMatch(/^[a-z0-9_.:-]+$/);
          expect(text.toLowerCase()).not.toMatch(/[\s'"`;{}/]/);
        },
      ),
    );
  });
});

describe("a server", () => {
  it("is read as it is written", () => {
    fc.assert(
      fc.property(server, (one) => {
        expect(parseServer(formatServer(one))).toEqual({ ok: true, value: one });
        expect(serverSchema.parse(one)).toEqual(one);
      }),
    );
  });

  it.each([
    ["db1:3306", 3306],
    [" DB1:3306 ", 3306],
    ["db1", 3307],
    ["[::1]", 3307],
    ["[::1]:1", 1],
  ])("%s has the port %i", (text, port) => {
    expect(parseServer(text, 3307)).toMatchObject({ ok: true, value: { port } });
  });

  it.each([
    "",
    ":3306",
    "db1:",
    "db1:0",
    "db1:65536",
    "db1:123456",
    "db1:33x",
    "::1",
    "::1:3306",
    "[::1]3306",
    "a:b:1",
  ])("%j is none", (text) => {
    expect(parseServer(text, 3306)).toMatchObject({ ok: false, problem: expect.any(String) as string });
  });

  it("without a port needs one", () => {
    expect(parseServer("db1")).toEqual({ ok: false, problem: '"db1" has no port' });
  });

  it.each([0, 65_536, 1.5, -1, Number.NaN, Infinity])("has no port %d", (port) => {
    expect(makeServer("db1", port).ok).toBe(false);
  });

  it("is never made of garbage, and garbage never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const parsed = parseServer(text);
        if (parsed.ok) expect(parsed.value.port).toBeGreaterThan(0);
        else expect(parsed.problem).not.toBe("");
      }),
    );
  });

  it("is the same whatever the case of its host, and nobody is the same as nothing", () => {
    expect(sameServer({ host: "DB1", port: 1 }, { host: "db1", port: 1 })).toBe(true);
    expect(sameServer({ host: "db1", port: 1 }, { host: "db1", port: 2 })).toBe(false);
    expect(sameServer(null, null)).toBe(false);
    expect(sameServer(undefined, { host: "db1", port: 1 })).toBe(false);
    expect(includesServer([{ host: "db1", port: 1 }], { host: "DB1", port: 1 })).toBe(true);
    expect(includesServer([], { host: "db1", port: 1 })).toBe(false);
  });

  it("stands in one order", () => {
    fc.assert(
      fc.property(server, server, server, (a, b, c) => {
        expect(Math.sign(compareServers(a, b))).toBe(-Math.sign(compareServers(b, a)) + 0);
        expect(compareServers(a, b) === 0).toBe(sameServer(a, b));
        if (compareServers(a, b) <= 0 && compareServers(b, c) <= 0)
          expect(compareServers(a, c)).toBeLessThanOrEqual(0);
      }),
    );
    expect(compareServers({ host: "db1", port: 900 }, { host: "db1", port: 3306 })).toBeLessThan(0);
  });
});

describe("text for a message", () => {
  it("has no control characters and an end", () => {
    expect(printable("a\nb\u0007\u2028")).toBe("a?b??");
    expect(printable("x".repeat(81))).toHaveLength(80);
    expect(printable("x".repeat(80))).toBe("x".repeat(80));
  });
});
