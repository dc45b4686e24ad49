// @ts-nocheck
import type { Acknowledgement, Layout, Members } from "@primacy/contract";
import type {
  AcknowledgeOptions,
  AcknowledgeOutcome,
  CallOptions,
  ClusterSnapshot,
  ConsulOptions,
  Environment,
  HistoryEntry,
  HistoryOptions,
  LockOutcome,
  RecordCommit,
  Roster,
  SessionOptions,
  WatchCallOptions,
  WriteOptions,
  WriteOutcome,
} from "./types.js";

/* eslint-disable */
/** All Consul access, in Primacy's own verbs. Cluster and proxy names are as they stand in keys (`keyName`). */
export class ConsulStore {
  readonly environment!: Environment;
  constructor(
    readonly options: ConsulOptions,
    environment?: Environment,
  ) {}
  readCluster(cluster: string, options: CallOptions = {}): Promise<ClusterSnapshot> {
    throw new Error("being written");
  }
  watchCluster(cluster: string, index: number, options: WatchCallOptions): Promise<ClusterSnapshot> {
    throw new Error("being written");
  }
  commitRecord(cluster: string, commit: RecordCommit, options: WriteOptions): Promise<WriteOutcome> {
    throw new Error("being written");
  }
  writeLayout(
    cluster: string,
    layout: Layout,
    expectedIndex: number,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    throw new Error("being written");
  }
  writeMembers(
    cluster: string,
    members: Members,
    expectedIndex: number,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    throw new Error("being written");
  }
  readHistory(cluster: string, options: HistoryOptions = {}): Promise<HistoryEntry[]> {
    throw new Error("being written");
  }
  listClusters(options: CallOptions = {}): Promise<string[]> {
    throw new Error("being written");
  }
  createSession(session: SessionOptions, options: CallOptions = {}): Promise<string> {
    throw new Error("being written");
  }
  renewSession(id: string, options: CallOptions = {}): Promise<boolean> {
    throw new Error("being written");
  }
  destroySession(id: string, options: CallOptions = {}): Promise<void> {
    throw new Error("being written");
  }
  acknowledge(
    cluster: string,
    proxy: string,
    acknowledgement: Acknowledgement,
    options: AcknowledgeOptions,
  ): Promise<AcknowledgeOutcome> {
    throw new Error("being written");
  }
  readAcknowledgements(cluster: string, options: CallOptions = {}): Promise<Roster> {
    throw new Error("being written");
  }
  watchAcknowledgements(cluster: string, index: number, options: WatchCallOptions): Promise<Roster> {
    throw new Error("being written");
  }
  acquireLock(
    key: string,
    value: string,
    sessionId: string,
    options: CallOptions = {},
  ): Promise<LockOutcome> {
    throw new Error("being written");
  }
  releaseLock(key: string, sessionId: string, options: CallOptions = {}): Promise<boolean> {
    throw new Error("being written");
  }
  close(): void {}
}
