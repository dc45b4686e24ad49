import {
  type Acknowledgement,
  type ClusterKeys,
  type Layout,
  type Members,
  acknowledgementKey,
  acknowledgementText,
  clusterKeys,
  historyKey,
  layoutText,
  membersText,
  recordText,
} from "@primacy/contract";
import { Agents, type Origin } from "./agents.js";
import { type KvAnswer, readKeys } from "./answers.js";
import { compareAndSet } from "./compare-and-set.js";
import { clusterSnapshot, roster } from "./documents.js";
import { realEnvironment } from "./environment.js";
import { folderRequest, readClusterFolder, readKey } from "./cluster-read.js";
import { readHistory } from "./history.js";
import { pruneHistory, readForeignFolder, readLock } from "./maintenance.js";
import { type AddressRotation, callDeadline } from "./retry.js";
import { Sessions } from "./sessions.js";
import { casOperation, setOperation } from "./transaction.js";
import type {
  AcknowledgeOptions,
  AcknowledgeOutcome,
  CallOptions,
  ClusterSnapshot,
  ConsulOptions,
  Environment,
  HeldLock,
  HistoryEntry,
  HistoryOptions,
  KeyValue,
  LockOutcome,
  RecordCommit,
  Roster,
  SessionOptions,
  WatchCallOptions,
  WriteOptions,
  WriteOutcome,
} from "./types.js";

/**
 * All Consul access, in Primacy's own verbs.
 *
 * Cluster and proxy names are as they stand in keys (`keyName`). Reads are `consistent` and index-free where nothing
 * else is said. Every call ends: after `requestTimeoutMs` for each agent, or at its deadline. All calls reject with
 * {@link ConsulError}; compare-and-sets never reject but say how they ended.
 */
export class ConsulStore {
  readonly environment: Environment;
  readonly #agents: Agents;
  /** Reads and writes stick to the last good agent. */
  readonly #rotation: AddressRotation;
  /** Blocking queries have their own, so that the two paths of the protocol don't fail together. */
  readonly #watchRotation: AddressRotation;
  readonly #sessions: Sessions;
  readonly #prefix: string;

  /** @throws {ConsulError} CONSUL_CONFIGURATION for an address that is none */
  constructor(options: ConsulOptions, environment: Environment = realEnvironment) {
    this.environment = environment;
    this.#agents = new Agents(options, environment);
    this.#rotation = this.#agents.newRotation();
    this.#watchRotation = this.#agents.newRotation();
    this.#sessions = new Sessions(this.#agents, this.#rotation);
    this.#prefix = options.prefix;
  }

  /**
   * The truth: the documents of a cluster by one `consistent` read of its folder.
   *
   * Consul shows a folder that may not be read as an empty one (404), and leaves out single keys. So where the record
   * is missing, its key is asked for alone: Consul answers 403 to that, and the call rejects with CONSUL_DENIED. A
   * layout or members document that is denied in that way is `unusable`.
   */
  readCluster(cluster: string, options: CallOptions = {}): Promise<ClusterSnapshot> {
    const keys = this.#keys(cluster);
    return readClusterFolder(this.#agents, this.#rotation, { cluster, keys }, options);
  }

  /**
   * One blocking query on the folder of a cluster, at one agent: answers when the index has passed `index`, or after
   * the wait. In Consul's `default` mode, so what it shows may be old (a frozen leader answered 42 s late and looked
   * fresh, Consul 1.8.7): apply what is newer than what you have, and verify anything else.
   */
  watchCluster(cluster: string, index: number, options: WatchCallOptions): Promise<ClusterSnapshot> {
    const keys = this.#keys(cluster);
    return this.#watch(keys.folder, index, options, (answer, origin) =>
      clusterSnapshot(keys, cluster, answer, origin),
    );
  }

  /** Commits a record and its history in one transaction. See {@link WriteOutcome}. */
  commitRecord(cluster: string, commit: RecordCommit, options: WriteOptions): Promise<WriteOutcome> {
    const keys = this.#keys(cluster);
    const text = recordText(commit.record);
    const kept = historyKey(keys, commit.record.generation);
    const more = [casOperation(kept, text, 0), ...(commit.alsoSet ?? []).map(setOperation)];
    const write = { key: keys.master, text, expectedIndex: commit.expectedIndex, more, keptUnder: kept };
    return compareAndSet(this.#agents, this.#rotation, write, options);
  }

  /** `expectedIndex`: ModifyIndex of the layout that was read; 0 = there is none. */
  writeLayout(
    cluster: string,
    layout: Layout,
    expectedIndex: number,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    const write = { key: this.#keys(cluster).layout, text: layoutText(layout), expectedIndex };
    return compareAndSet(this.#agents, this.#rotation, write, options);
  }

  /** `expectedIndex`: ModifyIndex of the members that were read; 0 = there are none. */
  writeMembers(
    cluster: string,
    members: Members,
    expectedIndex: number,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    const write = { key: this.#keys(cluster).members, text: membersText(members), expectedIndex };
    return compareAndSet(this.#agents, this.#rotation, write, options);
  }

  /** The newest kept records, oldest first. One that can't be used is told as such, not left out. */
  readHistory(cluster: string, options: HistoryOptions = {}): Promise<HistoryEntry[]> {
    return readHistory(this.#agents, this.#rotation, { cluster, keys: this.#keys(cluster) }, options);
  }

  /** The clusters that have any document, in order. Rejects with CONSUL_DENIED where none may be listed. */
  async listClusters(options: CallOptions = {}): Promise<string[]> {
    const folder = `${this.#prefix}clusters/`;
    const { keys, missing } = await this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.keys(folder, "/", limits),
        read: (answer, { address }) => readKeys(answer, address),
      },
      options,
    );
    if (missing) await readKey(this.#agents, this.#rotation, folder, options);
    return keys
      .filter((key) => key.endsWith("/") && key !== folder)
      .map((key) => key.slice(folder.length, -1));
  }

  /** Its id. A request without an answer may leave one more session behind, which its TTL removes. */
  createSession(session: SessionOptions, options: CallOptions = {}): Promise<string> {
    return this.#sessions.create(session, options);
  }

  /** False: the session is gone. What counts for a lease is when this was called, not when it answered. */
  renewSession(id: string, options: CallOptions = {}): Promise<boolean> {
    return this.#sessions.renew(id, options);
  }

  async destroySession(id: string, options: CallOptions = {}): Promise<void> {
    await this.#sessions.destroy(id, options);
  }

  /** Puts a proxy's acknowledgement, which lives as long as the session. The same again changes and wakes nothing. */
  acknowledge(
    cluster: string,
    proxy: string,
    acknowledgement: Acknowledgement,
    options: AcknowledgeOptions,
  ): Promise<AcknowledgeOutcome> {
    const key = acknowledgementKey(this.#keys(cluster), proxy);
    return this.#sessions.hold(key, acknowledgementText(acknowledgement), options.sessionId, options);
  }

  /** Who is live, and what they say. Rejects with CONSUL_DENIED rather than let a denied folder look like nobody. */
  async readAcknowledgements(cluster: string, options: CallOptions = {}): Promise<Roster> {
    const folder = this.#keys(cluster).acknowledgementsFolder;
    const found = await this.#agents.call(
      this.#rotation,
      folderRequest(folder, { consistent: true }, (answer, { sentAtMs }) => ({
        ...roster(folder, cluster, answer, sentAtMs),
        missing: answer.missing,
      })),
      options,
    );
    const { missing, ...whole } = found;
    if (missing) await readKey(this.#agents, this.#rotation, folder, options);
    return whole;
  }

  /** As {@link watchCluster}, of the acknowledgements. An empty folder wakes at every write to Consul (1.8.7). */
  watchAcknowledgements(cluster: string, index: number, options: WatchCallOptions): Promise<Roster> {
    const folder = this.#keys(cluster).acknowledgementsFolder;
    return this.#watch(folder, index, options, (answer, { sentAtMs }) =>
      roster(folder, cluster, answer, sentAtMs),
    );
  }

  /** Takes a lock, or keeps it. `key` is below the prefix. Locks are advisory: a plain PUT goes through. */
  async acquireLock(
    key: string,
    value: string,
    sessionId: string,
    options: CallOptions = {},
  ): Promise<LockOutcome> {
    const { deadlineMs, signal } = options;
    const outcome = await this.#sessions.hold(`${this.#prefix}${key}`, value, sessionId, {
      deadlineMs,
      signal,
    });
    return outcome === "written" ? "acquired" : outcome;
  }

  /** False: the session did not hold it. */
  releaseLock(key: string, sessionId: string, options: CallOptions = {}): Promise<boolean> {
    return this.#sessions.release(`${this.#prefix}${key}`, sessionId, options);
  }

  /** Who holds a lock and what it says; null where there is no such key. `key` is below the prefix. */
  readLock(key: string, options: CallOptions = {}): Promise<HeldLock | null> {
    return readLock(this.#agents, this.#rotation, `${this.#prefix}${key}`, options);
  }

  /** Keeps the newest `keep` records of the history; answers how many older ones it has deleted. */
  pruneHistory(cluster: string, keep: number, options: CallOptions = {}): Promise<number> {
    return pruneHistory(this.#agents, this.#rotation, { keys: this.#keys(cluster), keep }, options);
  }

  /** Other programs' keys below `folder` (whole, not below the prefix), such as Orchestrator's `mysql/master/`. */
  readForeignFolder(folder: string, options: CallOptions = {}): Promise<KeyValue[]> {
    return readForeignFolder(this.#agents, this.#rotation, folder, options);
  }

  /** Closes kept connections. Calls under way fail. */
  close(): void {
    this.#agents.close();
  }

  #keys(cluster: string): ClusterKeys {
    return clusterKeys(this.#prefix, cluster);
  }

  #watch<T>(
    folder: string,
    index: number,
    options: WatchCallOptions,
    make: (answer: KvAnswer, origin: Origin) => T,
  ): Promise<T> {
    const { waitMs, signal, deadlineMs = callDeadline(waitMs) } = options;
    // Index 0 does not block, so it needs no more time than a read.
    const timeoutMs = index === 0 ? Math.min(deadlineMs, this.#agents.requestTimeoutMs) : deadlineMs;
    return this.#agents.attempt(this.#watchRotation, folderRequest(folder, { index, waitMs }, make), {
      timeoutMs,
      signal,
    });
  }
}
