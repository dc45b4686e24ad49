import type { Consul } from "../servers/consul.js";

/** The leader's lock: its value is the heartbeat. */
const LOCK = "primacy/agent/leader";

/** Every key and the index of its last write. */
export async function kvIndexes(consul: Consul): Promise<Map<string, number>> {
  const keys = (await read(consul, "/v1/kv/primacy/?recurse")) as { Key: string; ModifyIndex: number }[];
  return new Map(keys.map(({ Key, ModifyIndex }) => [Key, ModifyIndex]));
}

/** How many keys were written, made or deleted in between, but for the leader's lock. Pure. */
export function changedKeys(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => key !== LOCK && before.get(key) !== after.get(key)).length;
}

/** The last entry of raft's log: every write of any kind is one, also what Consul writes by itself. */
export async function logIndex(consul: Consul): Promise<number> {
  const self = (await read(consul, "/v1/agent/self")) as { Stats: { raft: { last_log_index: string } } };
  return Number(self.Stats.raft.last_log_index);
}

async function read(consul: Consul, path: string): Promise<unknown> {
  const response = await fetch(`${consul.httpAddr}${path}`, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
  return await response.json();
}
