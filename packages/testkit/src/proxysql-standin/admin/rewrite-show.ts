const TABLES = "FROM %s WHERE type='table' AND name NOT IN ('sqlite_sequence') ORDER BY name";
const VARIABLES = "SELECT variable_name AS Variable_name, variable_value AS Value FROM global_variables";

const EXACT: Readonly<Record<string, string>> = {
  "SHOW TABLES": `SELECT name AS tables ${TABLES.replace("%s", "sqlite_master")}`,
  "SHOW MYSQL SERVERS": "SELECT * FROM mysql_servers ORDER BY hostgroup_id, hostname, port",
  "SHOW MYSQL USERS": "SELECT * FROM mysql_users ORDER BY username, active DESC, username ASC",
  "SHOW GLOBAL VARIABLES": `${VARIABLES} ORDER BY variable_name`,
  "SHOW ALL VARIABLES": `${VARIABLES} ORDER BY variable_name`,
  "SHOW VARIABLES": `${VARIABLES} ORDER BY variable_name`,
  "SHOW ADMIN VARIABLES": `${VARIABLES} WHERE variable_name LIKE 'admin-%' ORDER BY variable_name`,
  "SHOW MYSQL VARIABLES": `${VARIABLES} WHERE variable_name LIKE 'mysql-%' ORDER BY variable_name`,
  "SHOW MYSQL STATUS":
    "SELECT Variable_Name AS Variable_name, Variable_Value AS Value FROM stats_mysql_global ORDER BY variable_name",
  "SHOW DATABASES": "PRAGMA DATABASE_LIST",
  "SHOW SCHEMAS": "PRAGMA DATABASE_LIST",
  "SHOW FULL PROCESSLIST": "SELECT * FROM stats_mysql_processlist",
  "SHOW PROCESSLIST":
    "SELECT SessionID, user, db, hostgroup, command, time_ms, SUBSTR(info,0,100) info FROM stats_mysql_processlist",
  "SHOW CHARSET":
    "SELECT Charset, Collation AS 'Default collation' FROM mysql_collations WHERE `Default`='Yes'",
  "SHOW COLLATION": "SELECT * FROM mysql_collations",
};

/** The query that ProxySQL runs for a SHOW (blanks squeezed), if it knows it; SQLite refuses the others. */
export function rewriteShow(text: string): string | undefined {
  return EXACT[text.toUpperCase()] ?? tablesOf(text) ?? createTable(text) ?? variablesLike(text);
}

function tablesOf(text: string): string | undefined {
  const [, word, rest = ""] = /^SHOW TABLES (IN|FROM|LIKE) (.+)$/i.exec(text) ?? [];
  if (word === undefined) return undefined;
  if (word.toUpperCase() !== "LIKE")
    return `SELECT name AS tables ${TABLES.replace("%s", `${rest}.sqlite_master`)}`;
  const pattern = rest.replace(/[\\`']/g, "");
  return `SELECT name AS tables FROM sqlite_master WHERE type='table' AND name LIKE '${pattern}'`;
}

/** The text of the table with a line for each column; an unknown table gives no row and no error. */
function createTable(text: string): string | undefined {
  const [, name] = /^SHOW CREATE TABLE (.+)$/i.exec(text) ?? [];
  if (name === undefined) return undefined;
  const [first = "", second] = name.split(".", 2);
  const [schema, quoted] = second === undefined ? ["main", first] : [first, second];
  const table = quoted.replace(/^`(.+)`$/, "$1");
  const lines = `REPLACE(REPLACE(sql,' , ', X'2C0A20202020'),'CREATE TABLE ${table} (','CREATE TABLE ${table} ('||X'0A20202020')`;
  return `SELECT name AS 'table' , ${lines} AS 'Create Table' FROM ${schema}.sqlite_master WHERE type='table' AND name='${table}'`;
}

function variablesLike(text: string): string | undefined {
  const where = /SHOW VARIABLES WHERE/i;
  if (where.test(text)) return text.replace(where, `${VARIABLES} WHERE`);
  const like = /SHOW VARIABLES LIKE/i;
  return like.test(text) ? text.replace(like, `${VARIABLES} WHERE variable_name LIKE`) : undefined;
}
