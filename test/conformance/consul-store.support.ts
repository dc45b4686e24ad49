import type { Document } from "@primacy/contract";

/** The document's value. @throws when it is not valid */
export function valid<T>(document: Document<T>): T {
  if (document.kind !== "valid") throw new Error(`not a valid document: ${JSON.stringify(document)}`);
  return document.value;
}

/** A plain PUT, as an operator would do it. */
export async function putRaw(
  address: string,
  key: string,
  value: string | Uint8Array,
  token?: string,
): Promise<void> {
  const response = await fetch(`${address}/v1/kv/${key}`, {
    method: "PUT",
    body: value,
    headers: headers(token),
  });
  const text = await response.text();
  if (response.status !== 200 || text.trim() !== "true") {
    throw new Error(`PUT ${key}: ${String(response.status)} ${text}`);
  }
}

/** What lies under a key, or undefined. */
export async function getRaw(
  address: string,
  key: string,
  token?: string,
): Promise<{ text: string; modifyIndex: number; session: string | undefined } | undefined> {
  const response = await fetch(`${address}/v1/kv/${key}?consistent`, { headers: headers(token) });
  if (response.status === 404) return undefined;
  const [item] = (await response.json()) as { Value: string | null; ModifyIndex: number; Session?: string }[];
  if (item === undefined) return undefined;
  const text = Buffer.from(item.Value ?? "", "base64").toString("utf8");
  return { text, modifyIndex: item.ModifyIndex, session: item.Session };
}

function headers(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { "X-Consul-Token": token };
}

/** A plain DELETE, as an operator would do it. */
export async function deleteRaw(address: string, key: string, token?: string): Promise<void> {
  const response = await fetch(`${address}/v1/kv/${key}`, { method: "DELETE", headers: headers(token) });
  if (response.status !== 200) throw new Error(`DELETE ${key}: ${String(response.status)}`);
  await response.text();
}
