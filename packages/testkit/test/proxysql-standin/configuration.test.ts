import { expect, it } from "vitest";
import { configurationFile } from "../../src/servers/proxysql-configuration.js";

it("writes a configuration as proxysql.cnf wants it", () => {
  const text = configurationFile(
    {
      variables: { "admin-mysql_ifaces": "127.0.0.1:6032", "mysql-threads": "2" },
      tables: {
        mysql_servers: [
          { hostgroup_id: 10, hostname: "db1", port: 3306, comment: 'a "quoted" \\ one' },
          { hostgroup_id: 20, hostname: "db2" },
        ],
        mysql_users: [{ username: "app", password: null }],
      },
    },
    "/data",
  );
  expect(text).toBe(`datadir="/data"

admin_variables=
{
  mysql_ifaces="127.0.0.1:6032"
}

mysql_variables=
{
  threads="2"
}

mysql_servers=
(
  { hostgroup=10; address="db1"; port=3306; comment="a \\"quoted\\" \\\\ one" },
  { hostgroup=20; address="db2" }
)

mysql_users=
(
  { username="app" }
)
`);
});
