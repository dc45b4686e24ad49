import { FieldReader } from "../wire/codec.js";
import type { Session } from "./session.js";

/** COM_CHANGE_USER: another user on the same connection, proved with the nonce of the handshake. */
export async function changeUser(session: Session, payload: Buffer): Promise<void> {
  const fields = new FieldReader(payload, 1);
  const name = fields.text();
  const answer = fields.bytes(fields.byte());
  const schema = fields.text();
  const user = session.proxy.users.find((known) => known.frontend && known.username === name);
  const key = user && session.client.check(answer, user.password);
  if (!user || !key) {
    session.fail(
      1045,
      "28000",
      `ProxySQL Error: Access denied for user '${name}'@'${session.client.address}' (using password: YES)`,
    );
    session.destroy();
    return;
  }
  await session.forget();
  session.user = user;
  session.key = key;
  session.schema = schema === "" ? user.defaultSchema : schema;
  session.ok();
}
