export { ClusterWatch } from "./cluster-watch.js";
export { ConsulError, type ConsulErrorCode } from "./errors.js";
export { realEnvironment } from "./environment.js";
export { consulOptionsFromEnvironment } from "./options.js";
export { ConsulStore } from "./store.js";
export type {
  AcknowledgeOptions,
  AcknowledgeOutcome,
  AcknowledgementEntry,
  CallOptions,
  ClusterSnapshot,
  ClusterWatchOptions,
  ConsulOptions,
  Environment,
  HeldLock,
  HistoryEntry,
  HistoryOptions,
  HoldReason,
  KeyValue,
  LockOutcome,
  PathState,
  RecordCommit,
  Roster,
  SessionOptions,
  SnapshotSource,
  TlsOptions,
  WatchCallOptions,
  WatchState,
  WriteOptions,
  WriteOutcome,
} from "./types.js";
