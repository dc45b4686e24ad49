/** A row of one of ProxySQL's tables; columns that are not named get their default. */
export type ConfigurationRow = Readonly<Record<string, string | number | null>>;

/**
 * What a ProxySQL is started with the first time (the contents of proxysql.cnf). Once there is a proxysql.db it is not
 * looked at any more.
 */
export interface Configuration {
  /** By full name ("admin-admin_credentials", "mysql-interfaces", …). */
  readonly variables: Readonly<Record<string, string>>;
  /** Rows by table. */
  readonly tables: Readonly<Partial<Record<ConfigurationTable, readonly ConfigurationRow[]>>>;
}

export const CONFIGURATION_TABLES = [
  "mysql_servers",
  "mysql_replication_hostgroups",
  "mysql_users",
  "mysql_query_rules",
  "scheduler",
  "proxysql_servers",
] as const;

export type ConfigurationTable = (typeof CONFIGURATION_TABLES)[number];
