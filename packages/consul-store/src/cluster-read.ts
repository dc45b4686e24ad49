import type { ClusterKeys } from "@primacy/contract";
import type { Agents, Origin, Request } from "./agents.js";
import { type KvAnswer, readKv } from "./answers.js";
import { clusterSnapshot } from "./documents.js";
import { asConsulError } from "./errors.js";
import type { ReadQuery } from "./npm-consul.js";
import type { AddressRotation } from "./retry.js";
import type { CallOptions, ClusterSnapshot } from "./types.js";

/** A read of everything below a folder. */
export function folderRequest<T>(
  folder: string,
  query: ReadQuery,
  make: (answer: KvAnswer, origin: Origin) => T,
): Request<T> {
  return {
    send: (agent, limits) => agent.get(folder, { ...query, recurse: true }, limits),
    read: (answer, origin) => make(readKv(answer, origin.address), origin),
  };
}

/** One key alone, `consistent`: the only read to which Consul answers 403 where the token may not see it. */
export function readKey(
  agents: Agents,
  rotation: AddressRotation,
  key: string,
  options: CallOptions,
): Promise<KvAnswer> {
  const request: Request<KvAnswer> = {
    send: (agent, limits) => agent.get(key, { consistent: true }, limits),
    read: (answer, { address }) => readKv(answer, address),
  };
  return agents.call(rotation, request, options);
}

/** See `ConsulStore.readCluster`. */
export async function readClusterFolder(
  agents: Agents,
  rotation: AddressRotation,
  place: { readonly cluster: string; readonly keys: ClusterKeys },
  options: CallOptions,
): Promise<ClusterSnapshot> {
  const { cluster, keys } = place;
  const left = timeLeft(agents, options);
  const snapshot = await agents.call(
    rotation,
    folderRequest(keys.folder, { consistent: true }, (answer, origin) =>
      clusterSnapshot(keys, cluster, answer, origin),
    ),
    left(),
  );
  if (snapshot.recordIndex === 0) await readKey(agents, rotation, keys.master, left());
  const denial = async (key: string, missing: boolean): Promise<string | null> => {
    if (!missing) return null;
    const { filteredByAcls } = snapshot;
    // Most clusters have no members document for a while: asked for only where Consul hints at it.
    if (key === keys.members && !filteredByAcls) return null;
    return isDenied(agents, rotation, key, left());
  };
  const layoutDenied = await denial(keys.layout, snapshot.layoutIndex === 0);
  const membersDenied = await denial(keys.members, snapshot.membersIndex === 0);
  return {
    ...snapshot,
    ...(layoutDenied === null ? {} : { layout: { kind: "unusable", problem: layoutDenied } }),
    ...(membersDenied === null ? {} : { members: { kind: "unusable", problem: membersDenied } }),
  };
}

/** The caller's deadline, whose rest goes to the call after the first. */
function timeLeft(agents: Agents, options: CallOptions): () => CallOptions {
  const { deadlineMs, signal } = options;
  if (deadlineMs === undefined) return () => ({ signal });
  const { monotonicNow } = agents.environment;
  const limitMs = monotonicNow() + deadlineMs;
  return () => ({ signal, deadlineMs: limitMs - monotonicNow() });
}

async function isDenied(
  agents: Agents,
  rotation: AddressRotation,
  key: string,
  options: CallOptions,
): Promise<string | null> {
  try {
    await readKey(agents, rotation, key, options);
    return null;
  } catch (error) {
    if (asConsulError(error).code !== "CONSUL_DENIED") throw error;
    return `the token may not read ${key}`;
  }
}
