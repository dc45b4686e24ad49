export {
  type Acknowledgement,
  type AcknowledgementState,
  acknowledgementText,
  readAcknowledgement,
} from "./acknowledgement.js";
export type { Decision, Refusal, StoredRecord, WriteContext } from "./decision.js";
export { ABSENT, type Document, documentText, firstIssue } from "./document.js";
export {
  type ClusterEvent,
  type EventOf,
  type HookEvent,
  type SpoolableEvent,
  hookEventSchema,
  recoveryBeganAt,
  spoolableEventSchema,
} from "./event.js";
export {
  type ClusterKeys,
  DEFAULT_PREFIX,
  acknowledgementKey,
  clusterKeys,
  historyKey,
  keyName,
  keyPrefix,
} from "./keys.js";
export {
  type Layout,
  type LayoutServer,
  canonicalServer,
  isCandidate,
  USUAL_DRAIN_SECONDS,
  USUAL_FENCE_SECONDS,
  layoutServer,
  layoutText,
  parseLayout,
  readLayout,
} from "./layout.js";
export { LEASE_SECONDS, LEASE_SETTLE_MS, SESSION_TTL_SECONDS, leaseBoundMs } from "./lease.js";
export { type Member, type Members, type ReplicationThread, membersText, readMembers } from "./members.js";
export {
  type Cause,
  type CauseKind,
  type MasterRecord,
  type OldMasterProof,
  type Phase,
  type Sha256,
  oldMasterProofSchema,
  readRecord,
  recordHash,
  recordText,
} from "./record.js";
export { RULE_IDS, type RuleId } from "./rules.js";
export {
  type Parsed,
  type Server,
  compareServers,
  formatServer,
  includesServer,
  makeServer,
  parseServer,
  printable,
  sameServer,
} from "./server.js";
export { transition } from "./transition.js";
