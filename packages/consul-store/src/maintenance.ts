import { type ClusterKeys, historyKey } from "@primacy/contract";
import type { Agents } from "./agents.js";
import { readKeys, readKv, throwIfError, unexpected } from "./answers.js";
import { readKey } from "./cluster-read.js";
import { generationOfKey, itemText } from "./documents.js";
import { ConsulError } from "./errors.js";
import type { TxnOperation } from "./npm-consul.js";
import type { AddressRotation } from "./retry.js";
import type { CallOptions, HeldLock, KeyValue } from "./types.js";

/** Consul 1.8.7 takes 64 operations in one transaction. */
const DELETED_AT_ONCE = 64;

/** Who holds a lock, and what the key says. Null: there is no such key. */
export async function readLock(
  agents: Agents,
  rotation: AddressRotation,
  key: string,
  options: CallOptions,
): Promise<HeldLock | null> {
  const { items } = await readKey(agents, rotation, key, options);
  const item = items.find((one) => one.key === key);
  if (item === undefined) return null;
  const text = itemText(item);
  return {
    value: "text" in text ? text.text : null,
    sessionId: item.session,
    index: item.modifyIndex,
  };
}

/** Deletes all but the newest `keep` generations of a cluster's history; how many it deleted. */
export async function pruneHistory(
  agents: Agents,
  rotation: AddressRotation,
  place: { readonly keys: ClusterKeys; readonly keep: number },
  options: CallOptions,
): Promise<number> {
  const { keys, keep } = place;
  if (!Number.isSafeInteger(keep) || keep < 1) throw new RangeError("a history keeps one record at least");
  const names = await agents.call(
    rotation,
    {
      send: (agent, limits) => agent.keys(keys.historyFolder, undefined, limits),
      read: (answer, { address }) => readKeys(answer, address).keys,
    },
    options,
  );
  const old = names
    .flatMap((name) => generationOfKey(keys.historyFolder, name) ?? [])
    .sort((a, b) => a - b)
    .slice(0, -keep);
  for (let from = 0; from < old.length; from += DELETED_AT_ONCE) {
    const some = old.slice(from, from + DELETED_AT_ONCE);
    await deleteKeys(
      agents,
      rotation,
      some.map((generation) => historyKey(keys, generation)),
      options,
    );
  }
  return old.length;
}

/** All in one transaction. A key that is gone already is no error. */
function deleteKeys(
  agents: Agents,
  rotation: AddressRotation,
  names: readonly string[],
  options: CallOptions,
): Promise<void> {
  const operations = names.map((key): TxnOperation => ({ KV: { Verb: "delete", Key: key } }));
  return agents.call(
    rotation,
    {
      send: (agent, limits) => agent.transaction(operations, limits),
      read: (answer, { address }) => {
        if (answer.status !== 409) throwIfError(answer, address);
        if (answer.status === 200) return;
        // With the text that Consul has for a denied transaction (1.8.7: 409).
        const denied = /permission denied|acl not found/i.test(answer.text);
        if (!denied) throw unexpected(answer, address, "a delete that was refused");
        throw new ConsulError("CONSUL_DENIED", `Consul at ${address} denies deleting ${names[0] ?? ""}`, {
          address,
          status: answer.status,
        });
      },
    },
    options,
  );
}

/** Everything below a folder that is not ours, as texts; what is not UTF-8 is left out. Whole keys. */
export async function readForeignFolder(
  agents: Agents,
  rotation: AddressRotation,
  folder: string,
  options: CallOptions,
): Promise<KeyValue[]> {
  const { items } = await agents.call(
    rotation,
    {
      send: (agent, limits) => agent.get(folder, { recurse: true, consistent: true }, limits),
      read: (answer, { address }) => readKv(answer, address),
    },
    options,
  );
  return items.flatMap((item): KeyValue[] => {
    const text = itemText(item);
    return "text" in text ? [{ key: item.key, value: text.text }] : [];
  });
}
