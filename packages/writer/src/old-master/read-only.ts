import { isReadOnly } from "../database/dialect.js";
import { type DatabaseContext, type Reached, databaseProblem, readFacts } from "../database/server.js";
import { type DatabaseSession, isDatabaseError } from "../database/session.js";
import type { SessionKiller } from "./kill-sessions.js";

/** Running statements get so long to end by themselves before they are killed. Milliseconds. */
const PATIENCE_MS = 100;
/** Between two looks at whoever is in the way. Milliseconds. */
const LOOK_MS = 50;

/**
 * Makes a server read-only, and kills whoever is in the way.
 *
 * `SET GLOBAL read_only=1` waits for running writes, for whoever commits, and for LOCK TABLES (seen: 3.1 s under load,
 * MariaDB 10.11; MySQL's manual says the same), and meanwhile nobody else can write. So it runs in a session of its own
 * while the other one kills. It must not take effect after we have gone: `lock_wait_timeout` ends it in the server, and
 * at the deadline it is killed there.
 *
 * @returns why it is not read-only; undefined: it is, as read back
 */
export async function makeReadOnly(
  server: Reached,
  second: DatabaseSession,
  killer: SessionKiller,
  input: { readonly deadline: number; readonly context: DatabaseContext },
): Promise<string | undefined> {
  const { deadline, context } = input;
  const { world } = context;
  const left = () => Math.max(1, deadline - world.elapsed());
  const setting = setReadOnly(server, left());
  let answered = false;
  void setting.then(() => (answered = true));
  let patience = PATIENCE_MS;
  for (;;) {
    await Promise.race([setting, world.pause(Math.min(patience, left()))]);
    if (answered || world.elapsed() >= deadline) break;
    await killer.kill(await killer.list(deadline), deadline);
    patience = LOOK_MS;
  }
  const said: Setting = answered
    ? await setting
    : { problem: "it did not become read-only in time", open: true };
  if (said.open) await killOwn(server, second);
  return isReadOnly(await readFacts(second, world.elapsed() + left(), context)) ? undefined : said.problem;
}

interface Setting {
  readonly problem: string;
  /** The server may still be at it. */
  readonly open: boolean;
}

/** Never rejects: whoever waits for it may have gone on. */
async function setReadOnly({ session, dialect }: Reached, limitMs: number): Promise<Setting> {
  try {
    const seconds = Math.max(1, Math.floor(limitMs / 1000));
    await session.query(`SET SESSION lock_wait_timeout=${String(seconds)}`, limitMs);
    await session.query(dialect.readOnlyOn, limitMs);
    return { problem: "it says that it is not read-only", open: false };
  } catch (error) {
    const open = isDatabaseError(error) && error.errno === undefined;
    return { problem: databaseProblem(error), open };
  }
}

async function killOwn({ session }: Reached, second: DatabaseSession): Promise<void> {
  try {
    await second.query(`KILL CONNECTION ${String(session.id)}`, 500);
  } catch (error) {
    databaseProblem(error);
  }
}
