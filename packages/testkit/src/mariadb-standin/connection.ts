import type { Socket } from "node:net";
import { ClientConnection } from "../proxysql-standin/wire/client-connection.js";
import { COM } from "../proxysql-standin/wire/constants.js";
import type { Login } from "../proxysql-standin/wire/handshake.js";
import { eofPacket, type ErrorReply, okPacket } from "../proxysql-standin/wire/replies.js";
import { needUsableDatabase } from "./access.js";
import { answerPackets, CAPABILITIES, failurePacket, statusOf } from "./answer-packets.js";
import type { Core } from "./core.js";
import { SqlError } from "./errors.js";
import { runStatement } from "./execute/run.js";
import { parseRegister, serveDump } from "./replication/dump.js";
import { dumpPacket, REPLICATION_COM } from "./replication/messages.js";
import { Session } from "./session.js";
import { VERSION } from "./variables.js";

/** Commands that a client may send before the first one is answered. */
const LONGEST_QUEUE = 1000;

/** Lets a client log in. @returns its session, or undefined when it was refused or went away */
export async function welcome(
  core: Core,
  socket: Socket,
  id: number,
): Promise<{ session: Session; client: ClientConnection } | undefined> {
  const client = new ClientConnection(socket, id);
  const login = await client.authenticate({
    // Old replicas believe in no version above 5 (MariaDB up to 10.11 says so too).
    serverVersion: `5.5.5-${VERSION}`,
    capabilities: CAPABILITIES,
    tls: undefined,
    storedPassword: (user) => core.catalog.accounts.find(user)?.password,
    accessDenied,
    admit: (wanted) => refusal(core, wanted),
  });
  const account = login && core.catalog.accounts.find(login.user);
  if (!login || !account) return undefined;
  const close = (): void => client.destroy();
  const session = new Session({ id, address: client.address, close }, account, login.database);
  return { session, client };
}

/** Answers the commands of a session, one after another. */
export function serve(core: Core, session: Session, client: ClientConnection): void {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  client.start(({ payload }) => {
    waiting += 1;
    if (waiting > LONGEST_QUEUE) return session.end();
    last = last
      .then(() => answer(core, session, client, payload))
      .catch((error: unknown) => client.sendFrom(1, failurePacket(error)))
      .finally(() => {
        waiting -= 1;
      });
  });
}

async function answer(
  core: Core,
  session: Session,
  client: ClientConnection,
  payload: Buffer,
): Promise<void> {
  if (session.ended) return;
  const ok = (): void => client.sendFrom(1, okPacket({ status: statusOf(session) }));
  switch (payload[0] ?? 0) {
    case COM.QUERY: {
      const result = await runStatement(core, session, payload.toString("utf8", 1));
      return client.sendFrom(1, ...answerPackets(result, statusOf(session)));
    }
    case COM.INIT_DB: {
      const database = payload.toString("utf8", 1);
      needUsableDatabase(core, session.account, database);
      session.database = database;
      return ok();
    }
    case COM.PING:
      return ok();
    case COM.SET_OPTION:
      // Several statements in one text are an error anyway.
      return client.sendFrom(1, eofPacket(statusOf(session)));
    case COM.RESET_CONNECTION:
      session.reset();
      return ok();
    case COM.QUIT:
      return session.end();
    case REPLICATION_COM.REGISTER_SLAVE:
      session.replica = parseRegister(payload);
      return ok();
    case REPLICATION_COM.BINLOG_DUMP:
      return dump(core, session, client);
    default:
      throw new SqlError(1047, `the MariaDB stand-in does not know the command ${payload[0] ?? 0}`);
  }
}

/** From now on the session is the stream of a replica. */
function dump(core: Core, session: Session, client: ClientConnection): void {
  client.sendFrom(1);
  const stop = serveDump(core, session, (message) => client.send(dumpPacket(message)));
  client.socket.once("close", stop);
}

function refusal(core: Core, { user, database }: Login): ErrorReply | undefined {
  const account = core.catalog.accounts.find(user);
  if (account === undefined || database === "") return undefined;
  try {
    needUsableDatabase(core, account, database);
    return undefined;
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
}

function accessDenied(user: string, address: string, withPassword: boolean): ErrorReply {
  const using = withPassword ? "YES" : "NO";
  const message = `Access denied for user '${user}'@'${address}' (using password: ${using})`;
  return { errno: 1045, sqlstate: "28000", message };
}
