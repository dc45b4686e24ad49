import { createHash, randomInt } from "node:crypto";

/**
 * Passwords by mysql_native_password. The server stores SHA1(SHA1(password)); the client proves that it knows
 * SHA1(password) by sending it XORed with SHA1(nonce + SHA1(SHA1(password))).
 */

/** 20 bytes without zero bytes, as a handshake wants them. */
export function createNonce(): Buffer {
  return Buffer.from(Array.from({ length: 20 }, () => randomInt(1, 128)));
}

/** SHA1(password): enough to log in with, which is why ProxySQL can reach a backend with a hashed password. */
export function passwordKey(password: string): Buffer {
  return sha1(Buffer.from(password, "utf8"));
}

/** What the client answers to the nonce: 20 bytes, or none for an empty password. */
export function proof(key: Buffer, nonce: Buffer): Buffer {
  return xor(key, sha1(Buffer.concat([nonce, sha1(key)])));
}

/**
 * Checks a client's answer against a stored password, in clear or as "*" and 40 hex digits.
 *
 * @returns SHA1(password) when it is right (empty for an empty password), undefined when it is wrong.
 */
export function checkProof(answer: Buffer, nonce: Buffer, stored: string): Buffer | undefined {
  if (stored === "") return answer.length === 0 ? Buffer.alloc(0) : undefined;
  if (answer.length !== 20) return undefined;
  const hash = storedHash(stored);
  const key = xor(answer, sha1(Buffer.concat([nonce, hash])));
  return sha1(key).equals(hash) ? key : undefined;
}

function storedHash(stored: string): Buffer {
  if (/^\*[0-9A-Fa-f]{40}$/.test(stored)) return Buffer.from(stored.slice(1), "hex");
  return sha1(passwordKey(stored));
}

function sha1(bytes: Buffer): Buffer {
  return createHash("sha1").update(bytes).digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
