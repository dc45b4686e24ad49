import { describe, expect, it } from "vitest";
import { chooseParts } from "../../src/demo/parts.js";
import type { FoundServer, ServerName } from "../../src/servers/found.js";

const finding =
  (...there: ServerName[]) =>
  (name: ServerName): FoundServer | string =>
    there.includes(name) ? { name, path: `/usr/bin/${name}`, version: "1.2.3" } : `${name} is not installed.`;

describe("the parts of the demo", () => {
  it("are the real programs where they are, and it says which", () => {
    const parts = chooseParts(false, finding("mariadb", "consul", "proxysql", "orchestrator"));
    expect(parts).toMatchObject({
      mariadb: "real",
      consul: "real",
      proxysql: "real",
      orchestrator: "real",
    });
    expect(parts.lines).toContain("MariaDB: the real one, 1.2.3");
  });

  it("are stand-ins where there is nothing, and it says so of each", () => {
    const parts = chooseParts(false, finding());
    expect(parts).toMatchObject({
      mariadb: "stand-in",
      consul: "stand-in",
      proxysql: "stand-in",
      orchestrator: "stand-in",
    });
    for (const title of ["MariaDB", "Consul", "ProxySQL", "Orchestrator"])
      expect(parts.lines.some((line) => line.startsWith(`${title}: a stand-in`))).toBe(true);
  });

  it("are stand-ins when that is asked for, whatever is there", () => {
    const parts = chooseParts(true, finding("mariadb", "consul", "proxysql", "orchestrator"));
    expect(parts).toMatchObject({ mariadb: "stand-in", consul: "stand-in", proxysql: "stand-in" });
    expect(parts.orchestrator).toBe("stand-in");
  });

  it("have no real Orchestrator on stand-ins for MariaDB, which could not answer it", () => {
    const parts = chooseParts(false, finding("consul", "proxysql", "orchestrator"));
    expect(parts).toMatchObject({ mariadb: "stand-in", proxysql: "real", orchestrator: "stand-in" });
  });
});
