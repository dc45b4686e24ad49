import { describe, expect, it } from "vitest";
import { ClusterAliases } from "../../src/orchestrator-standin/aliases.js";
import { filtersMatchCluster } from "../../src/orchestrator-standin/filters.js";
import { replica, root, seen, unreachable } from "./topologies.js";

const nobody = () => false;

describe("cluster aliases", () => {
  it("are one to one, and a cluster without one is called by its name", () => {
    const aliases = new ClusterAliases();
    aliases.set("main", "db1:3306");
    aliases.set("main", "db2:3306");
    expect(aliases.clusterName("main")).toBe("db2:3306");
    expect(aliases.alias("db1:3306")).toBe("db1:3306");
    aliases.set("other", "db2:3306");
    expect(aliases.clusterName("main")).toBeUndefined();
    expect(aliases.alias("db2:3306")).toBe("other");
  });

  it("go to the claimant that is alive, writeable and has most replicas", () => {
    const aliases = new ClusterAliases();
    aliases.update(
      [unreachable(root(1)), seen(root(2)), seen(replica(3, 2, { ClusterName: "127.0.0.1:2" }))],
      nobody,
    );
    expect(aliases.clusterName("main")).toBe("127.0.0.1:2");
    // Two that are alive and writeable: the one with replicas.
    aliases.update([seen(root(1)), seen(root(2, { Replicas: [root(3).Key] }))], nobody);
    expect(aliases.clusterName("main")).toBe("127.0.0.1:2");
  });

  it("do not go back to a server that was lost in a recovery", () => {
    const aliases = new ClusterAliases();
    const returned = seen(root(1, { Replicas: [root(7).Key] }));
    aliases.update([returned, seen(root(2))], (server) => server === returned);
    expect(aliases.clusterName("main")).toBe("127.0.0.1:2");
  });
});

describe("cluster filters", () => {
  it.each([
    [["*"], true],
    [["main"], true],
    [["db1:3306"], true],
    [["alias=main"], true],
    [["alias=mai"], false],
    [["alias~=^ma"], true],
    [["db[0-9]"], true],
    [["other", ""], false],
    [[], false],
  ])("%j", (filters, matches) => {
    expect(filtersMatchCluster(filters, "db1:3306", "main")).toBe(matches);
  });
});
