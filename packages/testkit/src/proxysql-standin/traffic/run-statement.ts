import { LinkError } from "../wire/server-link.js";
import { acquire, type Wish } from "./acquire.js";
import type { Backend } from "./backend.js";
import { type Outcome, runOn } from "./runner.js";
import type { Session } from "./session.js";
import { afterStatement } from "./session-flags.js";
import { parameterCount, type Statement, withStatementId } from "./statement.js";
import { deadline, wish } from "./wish.js";

type Answered = Extract<Outcome, { kind: "answered" }>;

/**
 * Sends a statement to a server of its hostgroup and the answer to the client.
 *
 * When the connection is lost on the way, or its server goes offline, a statement outside of a transaction on a
 * connection that the session need not keep is run again on the next server: an INSERT may then take effect twice
 * (mysql-query_retries_on_failure). Otherwise the client is dropped without an error packet.
 */
export async function runStatement(session: Session, statement: Statement): Promise<void> {
  const { variables } = session.proxy;
  session.slots.releaseWarned();
  const startedAt = Date.now();
  session.hostgroup = statement.hostgroup;
  session.running = { text: statement.text, hostgroup: statement.hostgroup, startedAt, backend: undefined };
  let retries = statement.verdict.retries ?? variables.number("mysql-query_retries_on_failure");
  let wanted = wish(session, statement.hostgroup, false);
  try {
    for (;;) {
      const backend = await connection(session, wanted, startedAt);
      if (!backend) return;
      const outcome = await attempt(session, statement, backend);
      if (session.ended) return;
      if (outcome.kind !== "lost") return conclude(session, statement, backend, outcome);
      const mayRunAgain = retries > 0 && !backend.bound && !outcome.sentToClient;
      retries -= 1;
      if (!mayRunAgain) return session.destroy();
      // After a broken connection ProxySQL waits for the next server without a limit: max_connect_time is only set anew
      // when it was the layout that changed (lib/MySQL_Session.cpp:4645, and 4824 where it is missing).
      wanted = { ...wanted, deadline: outcome.becauseOffline ? deadline(session) : Number.POSITIVE_INFINITY };
    }
  } finally {
    session.running = undefined;
  }
}

/** The connection that the session holds there, or another one; the client is told when none is to be had. */
async function connection(session: Session, wanted: Wish, startedAt: number): Promise<Backend | undefined> {
  const held = session.slots.take(wanted.hostgroup);
  if (held) return held;
  try {
    const got = await acquire(session.proxy.hostgroups, wanted);
    if (got === "gone") return undefined;
    if (got !== "timeout") return got;
    const waited = Date.now() - startedAt;
    const message = `Max connect timeout reached while reaching hostgroup ${wanted.hostgroup} after ${waited}ms`;
    session.fail(9001, "HY000", message);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    session.fail(error.errno, error.sqlstate, error.message);
  }
  return undefined;
}

async function attempt(session: Session, statement: Statement, backend: Backend): Promise<Outcome> {
  const { hostgroups } = session.proxy;
  backend.link.onClose = () => hostgroups.pool.forget(backend);
  if (session.running) session.running.backend = backend;
  const outcome = await runOn(backend, statement, {
    hostgroups,
    state: session.state,
    passOn: (packets) => session.client.send(...packets),
  });
  if (session.running) session.running.backend = undefined;
  return outcome;
}

function conclude(
  session: Session,
  statement: Statement,
  backend: Backend,
  outcome: Exclude<Outcome, { kind: "lost" }>,
): void {
  if (outcome.kind === "refused") {
    session.fail(outcome.error.errno, outcome.error.sqlstate, outcome.error.message);
    keepOrRelease(session, statement, backend, false);
    return;
  }
  const keep = statement.kind === "prepare" && remember(session, statement, backend, outcome);
  session.client.send(...outcome.packets);
  tie(session, statement, backend, outcome);
  keepOrRelease(session, statement, backend, keep);
}

function tie(session: Session, statement: Statement, backend: Backend, { end }: Answered): void {
  const { variables } = session.proxy;
  backend.ties = afterStatement(backend.ties, {
    digest: statement.digest,
    // A statement that failed ties as well; the server's status is then that of the statement before.
    status: end.status ?? backend.link.status,
    warnings: end.warnings,
    insertId: end.insertId,
    affectedRows: end.affectedRows,
    multiplexRule: statement.verdict.multiplex,
    locksHostgroup: statement.locksHostgroup,
    delayAfterInsert: variables.number("mysql-auto_increment_delay_multiplex"),
    keepVariables: variables.text("mysql-keep_multiplexing_variables"),
  });
}

function keepOrRelease(session: Session, statement: Statement, backend: Backend, keep: boolean): void {
  const { hostgroup } = statement;
  if (backend.bound || keep) session.slots.hold(hostgroup, backend);
  else session.slots.release(backend);
  if (!session.user.transactionPersistent) return;
  if (backend.inTransaction) session.transactionHostgroup ??= hostgroup;
  else if (session.transactionHostgroup === hostgroup) session.transactionHostgroup = undefined;
}

/**
 * Gives a statement that was just prepared an id of the session's own.
 *
 * @returns true when it has no parameters: then ProxySQL keeps the connection for the next statement (issue 1432).
 */
function remember(
  session: Session,
  statement: Statement,
  backend: Backend,
  { packets, end }: Answered,
): boolean {
  const [answer] = packets;
  if (!answer || end.error) return false;
  backend.statements.set(statement.text, answer.readUInt32LE(1));
  const id = session.nextStatementId();
  session.prepared.set(id, { text: statement.text, hostgroup: statement.hostgroup });
  packets[0] = withStatementId(answer, id);
  return parameterCount(answer) === 0;
}
