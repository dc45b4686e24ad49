/** A login of the test servers. */
export interface Account {
  user: string;
  password: string;
}

function account(user: string): Account {
  return { user, password: `${user}-password` };
}

/** The accounts that every MariaDB of the kit has, from any host. */
export const accounts = {
  /** Everything, read_only does not bind it: for the tests' own set-up. */
  root: account("root"),
  /** An application: all rights in the database `app`, nothing else, so read_only binds it. */
  app: account("app"),
  /** What Orchestrator needs to watch and repair a topology. */
  orchestrator: account("orchestrator"),
  /** What a replica logs in with. */
  repl: account("repl"),
  /** What ProxySQL's monitor needs. */
  monitor: account("monitor"),
} as const;

const GRANTS = {
  root: "ALL PRIVILEGES ON *.*",
  app: "ALL PRIVILEGES ON app.*",
  // MariaDB 10.11 no longer counts READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, … as part of SUPER.
  orchestrator:
    "SELECT, SUPER, PROCESS, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT, REPLICATION SLAVE ADMIN, " +
    "REPLICATION MASTER ADMIN, REPLICA MONITOR, BINLOG ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN ON *.*",
  repl: "REPLICATION SLAVE ON *.*",
  monitor: "REPLICATION CLIENT, REPLICA MONITOR ON *.*",
} as const;

/** The SQL that makes {@link accounts} and the database `app`, one statement a line, as a bootstrap file wants it. */
export function accountsSql(): string {
  const names = Object.keys(accounts) as (keyof typeof accounts)[];
  const statements = names.flatMap((name) => {
    const { user, password } = accounts[name];
    return [
      `CREATE OR REPLACE USER '${user}'@'%' IDENTIFIED BY '${password}'`,
      `GRANT ${GRANTS[name]} TO '${user}'@'%'${name === "root" ? " WITH GRANT OPTION" : ""}`,
    ];
  });
  return [
    // The bootstrap runs without grant tables until they are read.
    "FLUSH PRIVILEGES",
    // root@127.0.0.1 without a password and the anonymous users would come before the accounts from any host.
    "DELETE FROM mysql.global_priv WHERE User IN ('', 'root')",
    "FLUSH PRIVILEGES",
    "CREATE DATABASE IF NOT EXISTS app",
    ...statements,
    "",
  ].join(";\n");
}
