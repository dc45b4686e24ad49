import { needPrivilege, needUsableDatabase } from "../access.js";
import type { Core } from "../core.js";
import { SqlError } from "../errors.js";
import type { Session } from "../session.js";
import { parseStatement } from "../sql/parse-statement.js";
import type { Statement } from "../sql/statement.js";
import { may } from "../storage/accounts.js";
import { type Answer, OK } from "./answer.js";
import { select } from "./select.js";
import { set } from "./set.js";
import { show } from "./show.js";
import { begin, commit, rollBack } from "./transaction.js";
import { define, insert } from "./write.js";

/** Runs one statement. @throws {SqlError} */
export async function runStatement(core: Core, session: Session, sql: string): Promise<Answer> {
  const signal = session.begin(Date.now());
  const statement = parseStatement(sql);
  switch (statement.kind) {
    case "select":
      return await select(core, session, statement, signal);
    case "insert":
      return insert(core, session, statement);
    case "create database":
    case "create table":
    case "create function":
    case "create user":
    case "grant":
      return define(core, session, statement, sql);
    case "begin":
      begin(core, session);
      return OK;
    case "commit":
      commit(core, session);
      return OK;
    case "rollback":
      rollBack(session);
      return OK;
    case "set":
      return set(core, session, statement.assignments);
    case "show":
      return show(core, session, statement.what, statement.like);
    case "use":
      needUsableDatabase(core, session.account, statement.database);
      session.database = statement.database;
      return OK;
    case "kill":
      return kill(core, session, statement);
    case "start slave":
    case "stop slave":
    case "reset slave all":
    case "change master":
      return changeReplication(core, session, statement);
  }
}

type ReplicationStatement = Extract<
  Statement,
  { kind: "start slave" | "stop slave" | "reset slave all" | "change master" }
>;

function changeReplication(core: Core, session: Session, statement: ReplicationStatement): Answer {
  if (statement.kind === "reset slave all") needPrivilege(session, "RELOAD");
  else needPrivilege(session, "SUPER", "REPLICATION SLAVE ADMIN");
  switch (statement.kind) {
    case "start slave":
      core.replica.start();
      break;
    case "stop slave":
      core.replica.stop();
      break;
    case "reset slave all":
      core.replica.forgetMaster();
      break;
    case "change master":
      core.replica.changeMaster(statement.change);
      break;
  }
  return OK;
}

function kill(core: Core, session: Session, { what, id }: Extract<Statement, { kind: "kill" }>): Answer {
  const target = core.sessions.get(id);
  if (target === undefined) throw new SqlError(1094, `Unknown thread id: ${id}`);
  const own = target.account.user === session.account.user;
  if (!own && !may(session.account, "CONNECTION ADMIN")) {
    throw new SqlError(1095, `You are not owner of thread ${id}`);
  }
  if (what === "query") target.interrupt();
  else target.end();
  if (target === session) throw new SqlError(1317, "Query execution was interrupted");
  return OK;
}
