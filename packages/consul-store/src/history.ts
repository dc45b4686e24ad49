import { type ClusterKeys, historyKey } from "@primacy/contract";
import type { Agents } from "./agents.js";
import { readKeys } from "./answers.js";
import { readKey } from "./cluster-read.js";
import { generationOfKey, historyEntry } from "./documents.js";
import type { AddressRotation } from "./retry.js";
import type { HistoryEntry, HistoryOptions } from "./types.js";

const DEFAULT_LIMIT = 50;
/** How many entries are read at once: Consul counts connections by client address (200 by default). */
const AT_ONCE = 8;

/** The newest `limit` kept records from `fromGeneration` on, oldest first. */
export async function readHistory(
  agents: Agents,
  rotation: AddressRotation,
  place: { readonly cluster: string; readonly keys: ClusterKeys },
  options: HistoryOptions,
): Promise<HistoryEntry[]> {
  const { limit = DEFAULT_LIMIT, fromGeneration = 0 } = options;
  const { cluster, keys } = place;
  const names = await agents.call(
    rotation,
    {
      send: (agent, limits) => agent.keys(keys.historyFolder, undefined, limits),
      read: (answer, { address }) => readKeys(answer, address).keys,
    },
    options,
  );
  const generations = names
    .map((name) => generationOfKey(keys.historyFolder, name))
    .filter((generation) => generation !== undefined && generation >= fromGeneration) as number[];
  const wanted = limit <= 0 ? [] : generations.sort((a, b) => a - b).slice(-limit);
  const entries: HistoryEntry[] = [];
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const some = wanted.slice(from, from + AT_ONCE).map(async (generation) => {
      const key = historyKey(keys, generation);
      const answer = await readKey(agents, rotation, key, options);
      return historyEntry(
        cluster,
        generation,
        answer.items.find((item) => item.key === key),
      );
    });
    entries.push(...(await Promise.all(some)));
  }
  return entries;
}
