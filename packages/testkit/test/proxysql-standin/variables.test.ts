import { describe, expect, it } from "vitest";
import { Variables } from "../../src/proxysql-standin/admin/variables.js";

describe("variables in force", () => {
  it("begin with ProxySQL's defaults", () => {
    const variables = new Variables();
    expect(variables.number("mysql-connect_timeout_server_max")).toBe(10_000);
    expect(variables.flag("mysql-monitor_writer_is_also_reader")).toBe(true);
    expect(variables.list("admin-").map(([name]) => name)).toContain(
      "admin-cluster_mysql_servers_diffs_before_sync",
    );
  });

  it.each([
    ["mysql-max_connections", "abc"],
    ["mysql-monitor_read_only_interval", "99"],
    ["mysql-query_retries_on_failure", "1001"],
    ["mysql-monitor_enabled", "maybe"],
    ["mysql-nosuch", "1"],
  ])("%s can't be %s", (name, value) => {
    const variables = new Variables();
    expect(variables.set(name, value)).toBe(false);
    if (variables.has(name)) expect(variables.text(name)).not.toBe(value);
  });

  it.each([
    ["mysql-monitor_enabled", "0", "false"],
    ["mysql-monitor_enabled", "TRUE", "true"],
    ["mysql-monitor_password", "0123", "0123"],
    ["mysql-shun_recovery_time_sec", "0", "0"],
  ])("%s may be %s, which is %s", (name, value, kept) => {
    const variables = new Variables();
    expect(variables.set(name, value)).toBe(true);
    expect(variables.text(name)).toBe(kept);
  });

  it("that are fixed at the start stay", () => {
    const variables = new Variables();
    expect(variables.set("mysql-threads", "2")).toBe(true);
    variables.started();
    expect(variables.set("mysql-threads", "8")).toBe(false);
    expect(variables.set("mysql-threads", "2")).toBe(true);
    expect(variables.text("mysql-threads")).toBe("2");
  });

  it("that do not exist are an error to ask for", () => {
    expect(() => new Variables().text("mysql-nosuch")).toThrow("mysql-nosuch");
  });
});
