import { digest, withoutLeadingComments } from "./digest.js";
import { applyRules, type Verdict } from "./rules.js";
import { runStatement } from "./run-statement.js";
import type { Session } from "./session.js";
import { parseSetStatement, type SetStatement } from "./set-statement.js";
import type { Statement } from "./statement.js";

/** COM_QUERY: ProxySQL answers some statements itself and sends the others to a hostgroup. */
export async function handleQuery(session: Session, payload: Buffer): Promise<void> {
  const text = payload.toString("utf8", 1);
  if (session.lockedHostgroup === undefined && (await answeredHere(session, text))) return;
  const verdict = judge(session, text);
  if (verdict.errorMessage !== undefined) return session.fail(1148, "42000", verdict.errorMessage);
  if (verdict.okMessage !== undefined) return session.ok();
  const set =
    session.lockedHostgroup === undefined ? parseSetStatement(withoutLeadingComments(text)) : undefined;
  if (set?.kind === "tracked") {
    for (const [name, statement] of set.assignments) session.settings.set(name, statement);
    return session.ok();
  }
  const statement = toStatement(session, { text, payload, verdict, set });
  if (statement) await runStatement(session, statement);
}

/** What the rules say of a text, for this session. */
export function judge(session: Session, text: string): Verdict {
  const { username } = session.user;
  const bare = withoutLeadingComments(text);
  return applyRules(session.proxy.rules, {
    user: username,
    schema: session.schema,
    text: bare,
    digest: digest(bare),
  });
}

/** The hostgroup for a statement: that of an open transaction, the rules', the user's. */
export function hostgroupFor(session: Session, verdict: Verdict): number {
  return session.transactionHostgroup ?? verdict.destinationHostgroup ?? ownHostgroup(session);
}

function ownHostgroup(session: Session): number {
  return session.lockedHostgroup ?? session.user.defaultHostgroup;
}

function toStatement(
  session: Session,
  query: { text: string; payload: Buffer; verdict: Verdict; set: SetStatement | undefined },
): Statement | undefined {
  const { text, payload, verdict } = query;
  const locksHostgroup = query.set?.kind === "locks hostgroup";
  const hostgroup = isEndOfTransaction(text)
    ? (session.slots.inTransaction ?? hostgroupFor(session, verdict))
    : hostgroupFor(session, verdict);
  const locked = session.lockedHostgroup;
  if (locked !== undefined && locked !== hostgroup) {
    session.fail(
      9006,
      "Y0000",
      `ProxySQL Error: connection is locked to hostgroup ${locked} but trying to reach hostgroup ${hostgroup}`,
    );
    return undefined;
  }
  if (locksHostgroup) session.lockedHostgroup = hostgroup;
  return { kind: "query", text, digest: digest(text), payload, hostgroup, verdict, locksHostgroup };
}

/** Statements that need no server: USE, autocommit, and COMMIT or ROLLBACK of nothing. */
async function answeredHere(session: Session, text: string): Promise<boolean> {
  const bare = withoutLeadingComments(text).replace(/[\s;]+$/, "");
  const [, schema] = /^use\s+`?([^`\s]+)`?$/i.exec(bare) ?? [];
  if (schema !== undefined) {
    session.schema = schema;
    session.ok();
    return true;
  }
  if (isEndOfTransaction(bare) && session.slots.inTransaction === undefined) {
    session.ok();
    return true;
  }
  const set = parseSetStatement(bare);
  if (set?.kind !== "autocommit") return false;
  // Switching autocommit on ends a transaction, so its server has to hear it.
  const ends = set.on && session.slots.inTransaction !== undefined;
  session.autocommit = set.on;
  if (ends) return false;
  session.ok();
  return true;
}

function isEndOfTransaction(text: string): boolean {
  return /^(commit|rollback)$/i.test(text.trim());
}
