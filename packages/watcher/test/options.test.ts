import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OptionsError, readOptions } from "../src/options.js";

const password = { PRIMACY_PROXYSQL_PASSWORD: "hidden-word" };

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "primacy-options-")), "watcher.yaml");
  writeFileSync(path, content);
  return path;
}

describe("settings", () => {
  test("flag over environment over file over default", () => {
    const config = file(
      "proxy: from-file\nclusters: [a]\nproxysql: {port: 7000, user: someone}\nlogLevel: warn\n",
    );
    const environment = { ...password, PRIMACY_PROXY: "from-env", PRIMACY_PROXYSQL_PORT: "7001" };
    const options = readOptions({ config, cluster: ["Main"] }, environment);
    expect(options).toMatchObject({ proxy: "from-env", clusters: ["main"], logLevel: "warn" });
    expect(options.admin).toMatchObject({ host: "127.0.0.1", port: 7001, user: "someone" });
    expect(readOptions({ config, proxy: "from-flag" }, environment).proxy).toBe("from-flag");
  });

  test("the password's file wins over its variable", () => {
    const PRIMACY_PROXYSQL_PASSWORD_FILE = file("from-file\n");
    const options = readOptions(
      { cluster: ["main"], proxy: "p" },
      { ...password, PRIMACY_PROXYSQL_PASSWORD_FILE },
    );
    expect(options.admin.password).toBe("from-file");
  });

  test("Consul's own variables win over the file", () => {
    const config = file(
      "clusters: [main]\nproxy: p\nconsul: {addresses: ['http://10.0.0.1:8500'], prefix: 'a/b'}\n",
    );
    expect(readOptions({ config }, password).consul).toMatchObject({
      addresses: ["http://10.0.0.1:8500"],
      prefix: "a/b/",
    });
    const moved = readOptions({ config }, { ...password, CONSUL_HTTP_ADDR: "10.0.0.2:8500" });
    expect(moved.consul.addresses).toEqual(["http://10.0.0.2:8500"]);
  });

  test.each([
    ["an unknown setting", "clusters: [main]\nwhenowned: warn\n", {}, "whenowned"],
    ["a port that is none", "clusters: [main]\nproxysql: {port: 70000}\n", {}, "port"],
    ["a name that cannot stand in a key", "clusters: ['db1:3306']\n", {}, "cannot stand in a Consul key"],
    ["no cluster", "proxy: p\n", {}, "no cluster"],
    ["a cron expression that is none", "clusters: [main]\nfullComparison: often\n", {}, "often"],
    ["no map", "- main\n", {}, "not a map"],
    ["broken YAML", "clusters: [main\n", {}, "watcher.yaml"],
    [
      "a password file that is not there",
      "clusters: [main]\nproxysql: {passwordFile: /nowhere/x}\n",
      {},
      "/nowhere/x",
    ],
  ])("%s is a clear error", (_what, content, environment, word) => {
    const read = (): unknown =>
      readOptions({ config: file(content), proxy: "p" }, { ...password, ...environment });
    expect(read).toThrow(OptionsError);
    expect(read).toThrow(word);
  });

  test("without a password it says where to put one, and never shows one", () => {
    expect(() => readOptions({ cluster: ["main"], proxy: "p" }, {})).toThrow(
      "PRIMACY_PROXYSQL_PASSWORD_FILE",
    );
    expect(() => readOptions({ cluster: ["db:1"], proxy: "p" }, password)).not.toThrow("hidden-word");
  });
});

test("an empty variable counts as none, and the datacenter follows the same order as all else", () => {
  const config = file(
    "clusters: [main]\nproxy: p\nconsul: {addresses: ['http://10.0.0.1:8500'], datacenter: from-file}\n",
  );
  const empty = readOptions({ config }, { ...password, CONSUL_HTTP_ADDR: "", PRIMACY_CONSUL_DATACENTER: "" });
  expect(empty.consul).toMatchObject({ addresses: ["http://10.0.0.1:8500"], datacenter: "from-file" });
  const moved = readOptions({ config }, { ...password, PRIMACY_CONSUL_DATACENTER: "from-env" });
  expect(moved.consul.datacenter).toBe("from-env");
  const none = { PRIMACY_CONFIG: "", PRIMACY_CLUSTERS: "", PRIMACY_HTTP: "", PRIMACY_PROXY: "" };
  expect(readOptions({ config }, { ...password, ...none })).toMatchObject({ clusters: ["main"], proxy: "p" });
  const flags = { cluster: ["main"], proxy: "p" };
  expect(readOptions(flags, { ...password, ...none })).toEqual(readOptions(flags, password));
});

test.each([
  ["127.0.0.2:7000", { host: "127.0.0.2", port: 7000 }],
  [":7000", { host: "127.0.0.1", port: 7000 }],
  ["[::1]:7000", { host: "::1", port: 7000 }],
  ["off", null],
])("PRIMACY_HTTP=%s", (PRIMACY_HTTP, http) => {
  expect(readOptions({ cluster: ["main"], proxy: "p" }, { ...password, PRIMACY_HTTP }).http).toEqual(http);
});
