import { digest } from "./digest.js";
import { hostgroupFor, judge } from "./query.js";
import { runStatement } from "./run-statement.js";
import type { Session } from "./session.js";

/** COM_STMT_PREPARE: prepared on a server of the hostgroup that the text is routed to. */
export async function prepareStatement(session: Session, payload: Buffer): Promise<void> {
  const text = payload.toString("utf8", 1);
  const verdict = judge(session, text);
  await runStatement(session, {
    kind: "prepare",
    text,
    digest: digest(text),
    payload,
    hostgroup: hostgroupFor(session, verdict),
    verdict,
    locksHostgroup: false,
  });
}

/** COM_STMT_EXECUTE: on whatever connection the session gets, which prepares the text first if it has to. */
export async function executeStatement(session: Session, payload: Buffer): Promise<void> {
  const id = payload.readUInt32LE(1);
  const known = session.prepared.get(id);
  if (!known)
    return session.fail(1243, "HY000", `Unknown prepared statement handler (${id}) given to EXECUTE`);
  const verdict = judge(session, known.text);
  await runStatement(session, {
    kind: "execute",
    text: known.text,
    digest: digest(known.text),
    payload,
    hostgroup: hostgroupFor(session, verdict),
    verdict,
    locksHostgroup: false,
    clientId: id,
  });
}
