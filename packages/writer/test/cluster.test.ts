import { describe, expect, it } from "vitest";
import { clusterOf, parseClusterAliases } from "../src/hook/cluster.js";

const names = (text: string, fixed?: string) => {
  const parsed = parseClusterAliases(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { fixed, aliases: parsed.value };
};

describe("the cluster's name", () => {
  it("is the alias, in lower case", () => {
    expect(clusterOf("Main", names(""))).toEqual({ ok: true, value: "main" });
  });

  it("is what the alias is mapped to, spelt as Orchestrator spells it", () => {
    const mapped = names(" Shop.Prod = shop-prod ,other=Other");
    expect(clusterOf("Shop.Prod", mapped)).toEqual({ ok: true, value: "shop-prod" });
    expect(clusterOf("other", mapped)).toEqual({ ok: true, value: "other" });
    expect(clusterOf("shop.prod", mapped).ok).toBe(false);
  });

  it("is never the old master's address, unless somebody says so", () => {
    expect(clusterOf("db1:3306", names(""))).toMatchObject({ ok: false });
    expect(clusterOf("db1:3306", names("db1:3306=main"))).toEqual({ ok: true, value: "main" });
    expect(clusterOf("db1:3306", names("", "main"))).toEqual({ ok: true, value: "main" });
  });

  it.each(["shop", "=main", "shop=Two Words", "a=b,c"])("%j maps nothing", (text) => {
    expect(parseClusterAliases(text).ok).toBe(false);
  });
});
