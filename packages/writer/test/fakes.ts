import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterSnapshot, RecordCommit, WriteOutcome } from "@primacy/consul-store";
import {
  type ClusterEvent,
  type Layout,
  type MasterRecord,
  type SpoolableEvent,
  layoutText,
  parseLayout,
  readLayout,
  readMembers,
  readRecord,
  recordText,
} from "@primacy/contract";
import { afterEach } from "vitest";
import type { CommitContext } from "../src/commit.js";
import type { World } from "../src/world.js";

export const db1 = { host: "db1", port: 3306 };
export const db2 = { host: "db2", port: 3306 };
export const db3 = { host: "db3", port: 3306 };

/** Time that passes only when somebody waits. */
export class FakeWorld implements World {
  wallMs = Date.parse("2026-11-21T09:20:00.000Z");
  elapsedMs = 0;
  readonly pauses: number[] = [];
  readonly pid = process.pid;
  readonly dead = new Set<number>();
  #ids = 0;

  now = (): number => this.wallMs;
  elapsed = (): number => this.elapsedMs;
  random = (): number => 0.5;
  newId = (): string => `00000000-0000-0000-0000-${String(++this.#ids).padStart(12, "0")}`;
  sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  isAlive = (pid: number): boolean => !this.dead.has(pid);

  pause = (ms: number): Promise<void> => {
    this.pauses.push(ms);
    this.pass(ms);
    return Promise.resolve();
  };

  pass(ms: number): void {
    this.wallMs += ms;
    this.elapsedMs += ms;
  }
}

/** One cluster in Consul, as the store shows it. */
export class FakeStore {
  record: string | null = null;
  recordIndex = 0;
  layout: string | null = layoutText(testLayout());
  /** What the next reads or commits do instead of what they ought to. */
  readonly nextReads: (() => void)[] = [];
  readonly nextCommits: ((commit: RecordCommit) => WriteOutcome | undefined)[] = [];
  readonly commits: RecordCommit[] = [];
  reads = 0;
  #index = 10;

  readCluster = (cluster: string): Promise<ClusterSnapshot> => {
    this.reads++;
    this.nextReads.shift()?.();
    return Promise.resolve({
      cluster,
      record: readRecord(this.record),
      recordText: this.record,
      recordIndex: this.recordIndex,
      layout: readLayout(this.layout),
      layoutIndex: this.layout === null ? 0 : 5,
      members: readMembers(null),
      membersIndex: 0,
      index: this.#index,
      sentAtMs: 0,
      folderEmpty: this.record === null && this.layout === null,
      filteredByAcls: false,
      address: "http://consul.example:8500",
    });
  };

  commitRecord = (_cluster: string, commit: RecordCommit): Promise<WriteOutcome> => {
    this.commits.push(commit);
    const forced = this.nextCommits.shift()?.(commit);
    if (forced !== undefined) return Promise.resolve(forced);
    if (commit.expectedIndex !== this.recordIndex) return Promise.resolve({ outcome: "lost-race" });
    this.put(recordText(commit.record));
    return Promise.resolve({ outcome: "committed", index: this.recordIndex });
  };

  put(text: string): void {
    this.record = text;
    this.recordIndex = ++this.#index;
  }

  get value(): MasterRecord {
    const document = readRecord(this.record);
    if (document.kind !== "valid") throw new Error(`the record is ${document.kind}`);
    return document.value;
  }
}

export function testLayout(extra: Record<string, unknown> = {}): Layout {
  const parsed = parseLayout({
    cluster: "main",
    hostgroups: { writer: 10, reader: 11 },
    servers: [
      { host: "db1", alsoKnownAs: ["10.0.0.1:3306"] },
      { host: "db2", alsoKnownAs: ["10.0.0.2:3306"] },
      { host: "db3", candidate: false },
    ],
    ...extra,
  });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

export function commitContext(
  store: FakeStore,
  world: World,
  signal = new AbortController().signal,
): CommitContext {
  return { store, world, writtenBy: "orc1", orchestratorKeys: undefined, signal };
}

/** A recovery that began `minutes` after nine. */
export function recoveryUid(minutes: number): string {
  return `${String(BigInt(Date.parse("2026-11-21T09:00:00.000Z") + minutes * 60_000) * 1_000_000n)}:abc`;
}

/** db1 is the first master, at nine. */
export const BOOTSTRAP: ClusterEvent = {
  kind: "bootstrap",
  master: db1,
  beganAt: "2026-11-21T09:00:00.000Z",
  cause: { kind: "bootstrap", failureType: "", recoveryUid: "", command: "" },
};

export function opened(
  outgoing: typeof db1,
  successor: typeof db1,
  uidMinutes: number | null,
): SpoolableEvent {
  const uid = uidMinutes === null ? "" : recoveryUid(uidMinutes);
  return {
    kind: "open",
    outgoing,
    successor,
    cause: { kind: "dead-master", failureType: "DeadMaster", recoveryUid: uid, command: "" },
    beganAt:
      uidMinutes === null
        ? null
        : new Date(Date.parse("2026-11-21T09:00:00.000Z") + uidMinutes * 60_000).toISOString(),
  };
}

const folders: string[] = [];

/** A folder of this test's own, gone after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "primacy-writer-"));
  folders.push(folder);
  return folder;
}

export function removeFoldersAfterEach(): void {
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
}
