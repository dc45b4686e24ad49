import type { ClusterSnapshot, ConsulStore } from "@primacy/consul-store";
import { type Layout, type MasterRecord, type Members, canonicalServer } from "@primacy/contract";
import type { Logger } from "pino";
import type { World } from "../world.js";
import type { RecordDecision } from "./decide.js";
import { describeMembers, disagreementOf, findingKey } from "./findings.js";
import { meaningOf, membersDocument, membershipFrom } from "./members-document.js";
import { type Membership, type MembershipSettings, beliefs, newMembership, observe } from "./membership.js";
import type { AgentMetrics } from "./metrics.js";
import type { Finding } from "./rules.js";
import { type Since, heldForMs } from "./since.js";
import { type ClusterView, viewObjection } from "./view.js";

export interface MembersSettings {
  readonly membership: MembershipSettings;
  /** The members document says that Orchestrator can't be believed once that has lasted so long. */
  readonly heldAfterMs: number;
  /** The same of a disagreement. */
  readonly reportAfterMs: number;
  readonly consulDeadlineMs: number;
}

export interface MembersParts {
  readonly store: Pick<ConsulStore, "writeMembers">;
  readonly world: World;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  /** Name of this agent, in the members document. */
  readonly agent: string;
  /** Asked before every write. */
  readonly leads: () => boolean;
}

/** What Consul has of a cluster, where record and layout can be used. */
export interface Documents {
  readonly snapshot: ClusterSnapshot;
  readonly record: MasterRecord;
  readonly layout: Layout;
}

/** What a pass has concluded, and since when each thing has been so. */
export interface Judged {
  readonly decision: RecordDecision;
  readonly since: Since;
}

/** The servers of one cluster as they are believed to be, and the document that tells the watchers. */
export class MembersKeeper {
  #membership: Membership | null = null;

  constructor(
    private readonly cluster: string,
    private readonly settings: MembersSettings,
    private readonly parts: MembersParts,
  ) {}

  /** `view`: null where Orchestrator was not heard. What can't be believed changes nothing. */
  believe(view: ClusterView | null, { snapshot, record, layout }: Documents): void {
    const stored = snapshot.members;
    const nowMs = this.parts.world.elapsed();
    this.#membership ??=
      stored.kind === "valid"
        ? membershipFrom(stored.value, record, layout, nowMs)
        : newMembership(canonicalServer(layout, record.master));
    if (isBelievable(view)) {
      const context = { record, layout, nowMs, settings: this.settings.membership };
      this.#membership = observe(this.#membership, view, context);
    }
    this.parts.metrics.noteMembers(
      this.cluster,
      beliefs(this.#membership).map((one) => one.state),
    );
  }

  /** Writes the document where what it means has changed. */
  async write(
    view: ClusterView | null,
    { snapshot, record, layout }: Documents,
    judged: Judged,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, metrics, log, leads, agent, world } = this.parts;
    const stored = snapshot.members;
    // Garbage under the key is for people: what it replaces may be another version's.
    if (this.#membership === null || stored.kind === "unusable" || !leads()) return;
    const members = membersDocument(this.#membership, {
      cluster: this.cluster,
      nowMs: world.now(),
      observedMs: world.elapsed(),
      observedBy: agent,
      held: isBelievable(view) ? null : this.#held(judged),
      disagreement: this.#disagreement(judged),
    });
    const said = stored.kind === "valid" ? meaningOf(stored.value, record, layout) : null;
    if (members.servers.length === 0 || meaningOf(members, record, layout) === said) return;
    const limits = { deadlineMs: this.settings.consulDeadlineMs, signal };
    const written = await store.writeMembers(this.cluster, members, snapshot.membersIndex, limits);
    if (written.outcome === "committed") {
      metrics.noteMembersWritten(this.cluster);
      log.info({ servers: describeMembers(members) }, "members written");
    } else if (written.outcome !== "lost-race") {
      log.warn({ err: written.cause }, "members could not be written");
    }
  }

  #held({ decision, since }: Judged): Members["held"] {
    return this.#lasting(
      heldForMs(since, HELD, this.parts.world.elapsed()),
      decision,
      this.settings.heldAfterMs,
    );
  }

  #disagreement({ decision, since }: Judged): Members["disagreement"] {
    const finding = disagreementOf(decision);
    if (finding === null) return null;
    const ms = heldForMs(since, findingKey(finding), this.parts.world.elapsed());
    return this.#lasting(ms, finding, this.settings.reportAfterMs);
  }

  #lasting(ms: number, { rule, reason }: Finding, afterMs: number): Members["held"] {
    if (ms < afterMs) return null;
    const since = new Date(this.parts.world.now() - ms).toISOString();
    return { since, rule, reason: reason.slice(0, 1000) };
  }
}

/** Under which it is noted since when Orchestrator can't be heard or believed. */
export const HELD = "held";

export function isBelievable(view: ClusterView | null): view is ClusterView {
  return view !== null && viewObjection(view) === null;
}
