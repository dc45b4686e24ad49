import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acknowledgementKey, clusterKeys, historyKey, keyName, keyPrefix } from "../src/index.js";

describe("a name in a key", () => {
  it("is written in lower case", () => {
    expect(keyName("Main_2-b", "cluster")).toEqual({ ok: true, value: "main_2-b" });
  });

  it.each(["", "127.0.0.1:3306", "a/b", "..", "a b", "é", "a".repeat(65), "\u212A", "main\n"])(
    "can't be %j",
    (name) => {
      expect(keyName(name, "proxy")).toMatchObject({
        ok: false,
        problem: expect.stringContaining("proxy name") as string,
      });
    },
  );

  it("takes nothing that leaves its folder, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const parsed = keyName(name, "cluster");
        if (parsed.ok) expect(parsed.value).toMatch(/^[a-z0-9_-]{1,64}$/);
      }),
    );
  });
});

describe("a prefix", () => {
  it.each([
    ["primacy/", "primacy/"],
    ["primacy", "primacy/"],
    ["/a/b//", "a/b/"],
  ])("%s is %s", (text, prefix) => {
    expect(keyPrefix(text)).toEqual({ ok: true, value: prefix });
  });

  it.each(["", "/", "a//b", "Primacy", "a b", "../a", "a/".repeat(9)])("can't be %j", (text) => {
    expect(keyPrefix(text).ok).toBe(false);
  });
});

describe("the keys of a cluster", () => {
  const keys = clusterKeys("primacy/", "main");

  it("are protocol's", () => {
    expect(keys).toEqual({
      folder: "primacy/clusters/main/",
      master: "primacy/clusters/main/master",
      layout: "primacy/clusters/main/layout",
      members: "primacy/clusters/main/members",
      historyFolder: "primacy/history/main/",
      acknowledgementsFolder: "primacy/acks/main/",
    });
    expect(acknowledgementKey(keys, "proxysql1")).toBe("primacy/acks/main/proxysql1");
  });

  it("keep what wakes nobody out of the folder that watchers wait on", () => {
    expect(historyKey(keys, 1).startsWith(keys.folder)).toBe(false);
    expect(acknowledgementKey(keys, "p").startsWith(keys.folder)).toBe(false);
  });

  it("sort as generations do", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999_999_999 }),
        fc.integer({ min: 1, max: 999_999_999_999 }),
        (a, b) => {
          expect(historyKey(keys, a) < historyKey(keys, b)).toBe(a < b);
        },
      ),
    );
  });
});
