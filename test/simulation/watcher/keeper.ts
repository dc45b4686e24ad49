import type { Layout } from "@primacy/contract";
import { type LeaseEntry, leaseIsOver } from "../../../packages/watcher/src/lease-entries.js";
import { type Lease, renewAfterMs } from "../../../packages/watcher/src/lease.js";
import type { Rules } from "../rules.js";
import { onAdmin } from "../world/admin.js";
import type { Guard } from "../world/guard.js";
import type { Process } from "../world/host.js";
import type { ProxySqlModel } from "../world/proxysql.js";
import { CLUSTER, WRITER } from "../world/servers.js";

export interface KeeperParts {
  readonly process: Process;
  readonly proxysql: ProxySqlModel;
  readonly guard: Guard;
  readonly rules: Rules;
  readonly presence: () => {
    readonly renewedSentAtMs: number | null;
    readonly presentSinceMs: number | null;
  };
  readonly verify: (timeoutMs: number, done: (ok: boolean) => void) => void;
  readonly onChange: () => void;
}

const TICK_MS = 500;

/** Keeps the lease, as `LeaseKeeper` does: its timer, the lease file, the dead man's switch. */
export class KeeperModel {
  #layout: Layout | null = null;
  readonly #reads = new Map<string, number>();
  #inForce: string | null;
  #inheritedUntilMs: number | null = null;
  #newest: string | null = null;
  fences = 0;
  #said: Lease["kind"] | null = null;
  #reading = false;
  #fencing = false;
  #sleep: { cancel(): void } | null = null;

  constructor(
    inForce: string | null,
    private readonly parts: KeeperParts,
  ) {
    this.#inForce = inForce;
  }

  get lease(): Lease {
    return this.leaseOf(this.#inForce);
  }

  leaseOf(hash: string | null): Lease {
    if (this.#layout === null) return { kind: "not-asked-for" };
    const one = this.parts.rules.steps.leasePerRecord ? hash : (this.#newest ?? null);
    const facts = {
      ...this.parts.presence(),
      readSentAtMs: one === null ? null : (this.#reads.get(one) ?? null),
      inheritedUntilMs: this.#inheritedUntilMs,
    };
    return this.parts.rules.lease(this.#layout, facts, this.parts.process.host.monotonicNow());
  }

  inherit(entry: LeaseEntry, layout: Layout): void {
    const { host } = this.parts.process;
    const nowSeconds = host.wallNow() / 1000;
    this.#layout = layout;
    if (!leaseIsOver(entry, nowSeconds)) {
      const leftMs = Math.min(entry.untilSeconds - nowSeconds, entry.leaseSeconds) * 1000;
      this.#inheritedUntilMs = host.monotonicNow() + leftMs;
    }
    this.ring();
  }

  follow(layout: Layout, before: string | null, hash: string): void {
    this.#layout = layout;
    const readSentAtMs = before === null ? undefined : this.#reads.get(before);
    if (readSentAtMs !== undefined && !this.#reads.has(hash)) this.#reads.set(hash, readSentAtMs);
    this.ring();
  }

  noteRead(hash: string, sentAtMs: number): void {
    this.#reads.set(hash, Math.max(this.#reads.get(hash) ?? 0, sentAtMs));
    this.#newest = hash;
    this.ring();
  }

  noteInForce(hash: string): void {
    if (hash === this.#inForce) return;
    this.#inForce = hash;
    this.ring();
  }

  noteRefused(hash: string): void {
    this.#reads.delete(hash);
    this.#inheritedUntilMs = null;
    this.ring();
  }

  ring(): void {
    this.#sleep?.cancel();
    this.#step();
  }

  #step(): void {
    const { process } = this.parts;
    const now = this.lease;
    if (this.#layout === null || now.kind === "not-asked-for") return;
    if (now.kind !== this.#said) {
      const { engine } = process;
      engine.tell(process.name, () => `lease ${now.kind}${now.kind === "lost" ? `: ${now.reason}` : ""}`);
      this.#said = now.kind;
      this.parts.onChange();
    }
    this.#ask(this.#layout.leaseSeconds);
    let nextMs = TICK_MS;
    if (now.kind === "held") {
      this.#writeFile(now, this.#layout.leaseSeconds);
      nextMs = Math.min(
        renewAfterMs(this.#layout.leaseSeconds) / 2,
        now.untilMs - process.host.monotonicNow(),
      );
    } else {
      this.#fence();
    }
    this.#sleep?.cancel();
    this.#sleep = process.after(Math.max(0.1, nextMs), () => {
      this.#step();
    });
  }

  #ask(leaseSeconds: number): void {
    if (this.#reading) return;
    const { process, presence, verify } = this.parts;
    const everyMs = renewAfterMs(leaseSeconds);
    const { presentSinceMs } = presence();
    const readAtMs = Math.max(Number.NEGATIVE_INFINITY, ...this.#reads.values());
    const tooEarly = presentSinceMs !== null && readAtMs < presentSinceMs;
    if (process.host.monotonicNow() - readAtMs < everyMs && !tooEarly) return;
    this.#reading = true;
    verify(everyMs, () => {
      this.#reading = false;
    });
  }

  #writeFile(now: Lease, leaseSeconds: number): void {
    const { guard, process, rules } = this.parts;
    const untilSeconds = rules.leaseEndsAtSeconds(now, process.host);
    if (guard.entry?.untilSeconds === untilSeconds) return;
    guard.write({ cluster: CLUSTER, writerHostgroup: WRITER, leaseSeconds, untilSeconds });
  }

  /** On a connection of its own. */
  #fence(): void {
    const { process, proxysql, rules } = this.parts;
    if (this.#fencing || !rules.steps.deadMansSwitch) return;
    this.#fencing = true;
    const end = (): void => {
      this.#fencing = false;
    };
    const unfenced = (): boolean =>
      [...proxysql.memory, ...proxysql.runtime].some((row) => row.status !== "OFFLINE_HARD");
    onAdmin(process, proxysql, unfenced, (seen) => {
      if (!seen.ok || !seen.value || this.lease.kind !== "lost") {
        end();
        return;
      }
      this.fences += 1;
      const fence = (): void => {
        proxysql.execute({ kind: "fence", hostgroups: [WRITER] });
      };
      onAdmin(process, proxysql, fence, (fenced) => {
        if (!fenced.ok) {
          end();
          return;
        }
        const load = (): void => {
          proxysql.execute({ kind: "load" });
        };
        onAdmin(process, proxysql, load, () => {
          end();
          this.parts.onChange();
        });
      });
    });
  }
}
