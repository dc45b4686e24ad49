import {
  type Acknowledgement,
  type ClusterKeys,
  type Document,
  ABSENT,
  keyName,
  readAcknowledgement,
  readLayout,
  readMembers,
  readRecord,
} from "@primacy/contract";
import type { KvAnswer, KvItem } from "./answers.js";
import type { AcknowledgementEntry, ClusterSnapshot, HistoryEntry, Roster } from "./types.js";

type Unusable = Extract<Document<never>, { kind: "unusable" }>;

/** The text of a key, or what is wrong with it. An empty value is an empty text: something is there. */
export function itemText(item: KvItem): { readonly text: string } | Unusable {
  const { key, value } = item;
  if (value === null) return { text: "" };
  // Buffer.from skips over what isn't base64, and would make of a broken answer a shorter document.
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    return { kind: "unusable", problem: `the value of ${key} did not come as base64` };
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { text: decoder.decode(Buffer.from(value, "base64")) };
  } catch {
    return { kind: "unusable", problem: `the value of ${key} is not UTF-8` };
  }
}

/** The documents of a cluster out of one read of its folder. */
export function clusterSnapshot(
  keys: ClusterKeys,
  cluster: string,
  answer: KvAnswer,
  origin: Pick<ClusterSnapshot, "sentAtMs" | "address">,
): ClusterSnapshot {
  const find = (key: string): KvItem | undefined => answer.items.find((item) => item.key === key);
  const [record, layout, members] = [find(keys.master), find(keys.layout), find(keys.members)];
  return {
    cluster,
    record: ofCluster(cluster, readItem(record, readRecord)),
    recordText: textOrNull(record),
    recordIndex: record?.modifyIndex ?? 0,
    layout: ofCluster(cluster, readItem(layout, readLayout)),
    layoutIndex: layout?.modifyIndex ?? 0,
    members: ofCluster(cluster, readItem(members, readMembers)),
    membersIndex: members?.modifyIndex ?? 0,
    index: answer.index,
    folderEmpty: answer.missing,
    filteredByAcls: answer.filteredByAcls,
    ...origin,
  };
}

/** The acknowledgements of a cluster out of one read of their folder; keys that name no proxy are left out. */
export function roster(folder: string, cluster: string, answer: KvAnswer, sentAtMs: number): Roster {
  const acknowledgements = answer.items.flatMap((item): AcknowledgementEntry[] => {
    const proxy = item.key.slice(folder.length);
    const name = keyName(proxy, "proxy");
    if (!name.ok || name.value !== proxy) return [];
    const document = ofProxy(proxy, ofCluster(cluster, readItem(item, readAcknowledgement)));
    return [{ proxy, document, sessionId: item.session, index: item.modifyIndex }];
  });
  return { acknowledgements, index: answer.index, sentAtMs };
}

/** One kept record. */
export function historyEntry(cluster: string, generation: number, item: KvItem | undefined): HistoryEntry {
  const document = ofCluster(cluster, readItem(item, readRecord));
  if (document.kind !== "valid" || document.value.generation === generation) return { generation, document };
  const problem = `the history's generation ${String(generation)} holds generation ${String(document.value.generation)}`;
  return { generation, document: { kind: "unusable", problem } };
}

/** The number at the end of a history key; undefined for keys that aren't a generation. */
export function generationOfKey(folder: string, key: string): number | undefined {
  const digits = key.slice(folder.length);
  return key.startsWith(folder) && /^\d{12}$/.test(digits) ? Number(digits) : undefined;
}

function readItem<T>(item: KvItem | undefined, read: (text: string) => Document<T>): Document<T> {
  if (item === undefined) return ABSENT;
  const text = itemText(item);
  return "kind" in text ? text : read(text.text);
}

function textOrNull(item: KvItem | undefined): string | null {
  if (item === undefined) return null;
  const text = itemText(item);
  return "kind" in text ? null : text.text;
}

/** A document that was copied from another cluster's key would send one cluster's writes to the other's master. */
function ofCluster<T extends { readonly cluster: string }>(
  cluster: string,
  document: Document<T>,
): Document<T> {
  if (document.kind !== "valid") return document;
  const name = keyName(document.value.cluster, "cluster");
  if (name.ok && name.value === cluster) return document;
  return {
    kind: "unusable",
    problem: `a document of cluster "${document.value.cluster}" lies under "${cluster}"`,
  };
}

function ofProxy(proxy: string, document: Document<Acknowledgement>): Document<Acknowledgement> {
  if (document.kind !== "valid") return document;
  const name = keyName(document.value.proxy, "proxy");
  if (name.ok && name.value === proxy) return document;
  return {
    kind: "unusable",
    problem: `an acknowledgement of "${document.value.proxy}" lies under "${proxy}"`,
  };
}
