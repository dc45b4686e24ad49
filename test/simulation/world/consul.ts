import type {
  AcknowledgementEntry,
  AcknowledgeOutcome,
  ClusterSnapshot,
  Roster,
} from "@primacy/consul-store";
import {
  ABSENT,
  type Acknowledgement,
  type Document,
  type Layout,
  type MasterRecord,
  readRecord,
  recordText,
} from "@primacy/contract";
import type { Engine } from "./engine.js";
import type { Arrival } from "./network.js";

/** The documents of the cluster as they were from some moment on. */
interface Version {
  readonly atMs: number;
  readonly index: number;
  readonly text: string;
  readonly document: Document<MasterRecord>;
}

interface Session {
  readonly ttlMs: number;
  alive: boolean;
  renewals: number;
}

interface Held {
  readonly acknowledgement: Acknowledgement;
  readonly session: string;
  readonly index: number;
}

/** What a default read may show is older than the truth by no more than this (42 s were seen). Milliseconds. */
const OLDEST_MS = 42_000;

/**
 * Consul: one log, so that whatever takes effect does so at one moment. It loses its leader, drops sessions at any time
 * from their TTL to twice that after the last renewal, and shows the past to reads that do not ask for consistency.
 */
export class ConsulModel implements Arrival {
  readonly history: { readonly record: MasterRecord; readonly text: string; readonly atMs: number }[] = [];
  /** Is there a leader? */
  leads = true;
  /** Until when followers lag. True milliseconds. */
  laggingUntilMs = 0;
  onCommit: (record: MasterRecord) => void = () => undefined;
  /** Does a write compare the index that its writer saw? */
  comparesIndexes = true;
  readonly #versions: Version[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #held = new Map<string, Held>();
  #waiting: { readonly index: number; readonly reply: (version: Version) => void }[] = [];
  #queue: (() => void)[] = [];
  #acknowledgementIndex = 1;

  constructor(
    readonly engine: Engine,
    readonly cluster: string,
    readonly layout: { readonly value: Layout; readonly text: string },
  ) {}

  get record(): MasterRecord {
    return this.history[this.history.length - 1]!.record;
  }

  get index(): number {
    return this.#versions[this.#versions.length - 1]?.index ?? 0;
  }

  arrive(serve: () => void): void {
    if (this.leads) serve();
    // A call that finds no leader is held for a while, or answered with an error that tells nothing.
    else if (this.engine.random.chance(0.5)) this.#queue.push(serve);
  }

  loseLeader(): void {
    this.engine.tell("consul", () => "has no leader");
    this.leads = false;
  }

  findLeader(): void {
    this.engine.tell("consul", () => "has a leader");
    this.leads = true;
    this.laggingUntilMs = this.engine.now + this.engine.random.between(0, OLDEST_MS);
    const queue = this.#queue;
    this.#queue = [];
    for (const serve of queue) this.engine.after(this.engine.random.between(0, 30), serve);
    // A new leader starts every session's time anew.
    for (const [id, session] of this.#sessions) if (session.alive) this.#expireLater(id, session);
  }

  /** Sets the record whose index was seen; answers whether it was applied. The history is of the same transaction. */
  commit(expectedIndex: number, record: MasterRecord): boolean {
    if (this.comparesIndexes && expectedIndex !== this.index) {
      this.engine.seen.note("lost race");
      return false;
    }
    const text = recordText(record);
    this.history.push({ record, text, atMs: this.engine.now });
    this.engine.tell(
      "consul",
      () =>
        `generation ${record.generation} ${record.phase} ${record.master.host} (${record.cause.rule}, ${record.cause.kind})`,
    );
    const version: Version = {
      atMs: this.engine.now,
      index: this.index + 1,
      text,
      document: readRecord(text),
    };
    this.#versions.push(version);
    this.onCommit(record);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { index, reply } of waiting) {
      if (version.index > index) reply(this.#seenByDefault(0.05));
      else this.#waiting.push({ index, reply });
    }
    return true;
  }

  /** What a consistent read shows. */
  read(sentAtMs: number): ClusterSnapshot {
    return this.#snapshot(this.#newest, sentAtMs);
  }

  /** A blocking query in the default mode: answers when the index has passed, and perhaps with the past. */
  watch(index: number, sentAtMs: number, reply: (snapshot: ClusterSnapshot) => void): void {
    const answer = (version: Version): void => {
      reply(this.#snapshot(version, sentAtMs));
    };
    // A watcher that begins, or begins anew, may have come to a follower that lags.
    const seen = this.#seenByDefault(index === 0 ? 0.4 : 0.05);
    if (seen.index > index || index === 0) answer(seen);
    else this.#waiting.push({ index, reply: answer });
  }

  createSession(ttlMs: number): string {
    const id = `session-${String(this.#sessions.size + 1)}`;
    const session: Session = { ttlMs, alive: true, renewals: 0 };
    this.#sessions.set(id, session);
    this.#expireLater(id, session);
    return id;
  }

  /** False: the session is gone. */
  renewSession(id: string): boolean {
    const session = this.#sessions.get(id);
    if (session?.alive !== true) return false;
    this.#expireLater(id, session);
    return true;
  }

  destroySession(id: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#end(id, session, "is given up");
  }

  acknowledge(
    proxy: string,
    acknowledgement: Acknowledgement,
    session: string,
    takeOver: boolean,
  ): AcknowledgeOutcome {
    if (this.#sessions.get(session)?.alive !== true) return "session-gone";
    const held = this.#held.get(proxy);
    if (held !== undefined && held.session !== session && !takeOver) return "held-elsewhere";
    this.engine.seen.note(`acknowledgement ${acknowledgement.state}`);
    this.#held.set(proxy, { acknowledgement, session, index: ++this.#acknowledgementIndex });
    return "written";
  }

  /** A consistent read of the acknowledgements. */
  roster(sentAtMs: number): Roster {
    const acknowledgements = [...this.#held].map(([proxy, held]): AcknowledgementEntry => ({
      proxy,
      document: { kind: "valid", value: held.acknowledgement, text: "" },
      sessionId: held.session,
      index: held.index,
    }));
    return { acknowledgements, index: this.#acknowledgementIndex, sentAtMs };
  }

  get #newest(): Version {
    return this.#versions[this.#versions.length - 1]!;
  }

  #seenByDefault(usually: number): Version {
    const { random, now } = this.engine;
    const lagging = now < this.laggingUntilMs;
    if (!random.chance(lagging ? 0.5 : usually)) return this.#newest;
    const recent = this.#versions.filter(
      (one, index) => (this.#versions[index + 1]?.atMs ?? now) > now - OLDEST_MS && one.atMs <= now,
    );
    const picked = recent.length === 0 ? this.#newest : random.pick(recent);
    if (picked !== this.#newest) this.engine.seen.note("stale answer");
    return picked;
  }

  #expireLater(id: string, session: Session): void {
    const { random } = this.engine;
    session.renewals += 1;
    const { renewals } = session;
    // Often at the very first moment that it may.
    const factor = random.chance(0.6) ? 1 : random.between(1, 2);
    // The leader's clock is as good as any other.
    const afterMs = session.ttlMs * factor * random.between(0.998, 1.002);
    this.engine.after(afterMs, () => {
      if (session.alive && session.renewals === renewals) this.#end(id, session, "has run out");
    });
  }

  #end(id: string, session: Session, how: string): void {
    if (!session.alive) return;
    session.alive = false;
    this.engine.seen.note(`session ${how}`);
    this.engine.tell("consul", () => `${id} ${how}`);
    for (const [proxy, held] of this.#held) if (held.session === id) this.#held.delete(proxy);
  }

  #snapshot(version: Version, sentAtMs: number): ClusterSnapshot {
    const { value, text } = this.layout;
    return {
      cluster: this.cluster,
      record: version.document,
      recordText: version.text,
      recordIndex: version.index,
      layout: { kind: "valid", value, text },
      layoutIndex: 1,
      members: ABSENT,
      membersIndex: 0,
      index: version.index,
      sentAtMs,
      folderEmpty: false,
      filteredByAcls: false,
      address: "consul",
    };
  }
}
