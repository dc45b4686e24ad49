import type { Layout } from "@primacy/contract";
import type { LeaseEntry } from "../../../packages/watcher/src/lease-entries.js";
import { LeaseLedger } from "../../../packages/watcher/src/lease-ledger.js";
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
  readonly #ledger: LeaseLedger;
  /** Hash of the record that the newest read showed. */
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
    this.#ledger = new LeaseLedger(inForce);
  }

  get lease(): Lease {
    return this.leaseOf(this.#ledger.inForce);
  }

  leaseOf(hash: string | null): Lease {
    const { process, rules, presence } = this.parts;
    const { followed } = this.#ledger;
    if (followed === null) return { kind: "not-asked-for" };
    const facts = this.#ledger.factsOf(rules.steps.leasePerRecord ? hash : this.#newest, presence());
    return rules.lease(followed, facts, process.host.monotonicNow());
  }

  inherit(entry: LeaseEntry): void {
    const { host } = this.parts.process;
    this.#ledger.inherit(entry, { monotonicMs: host.monotonicNow(), wallMs: host.wallNow() });
    this.ring();
  }

  follow(layout: Layout, before: string | null, hash: string): void {
    if (before !== null) this.#ledger.followRecord(before, hash);
    this.#ledger.followLayout(layout, this.parts.process.host.monotonicNow());
    this.ring();
  }

  noteRead(hash: string, sentAtMs: number): void {
    this.#ledger.noteRead(hash, sentAtMs);
    this.#newest = hash;
    this.ring();
  }

  noteInForce(hash: string): void {
    if (this.#ledger.noteInForce(hash)) this.ring();
  }

  noteRefused(hash: string): void {
    this.#ledger.noteRefused(hash);
    this.ring();
  }

  ring(): void {
    this.#sleep?.cancel();
    this.#step();
  }

  #step(): void {
    const { process } = this.parts;
    const now = this.lease;
    const { followed } = this.#ledger;
    if (followed === null || now.kind === "not-asked-for") return;
    if (now.kind !== this.#said) {
      const { engine } = process;
      engine.tell(process.name, () => `lease ${now.kind}${now.kind === "lost" ? `: ${now.reason}` : ""}`);
      this.#said = now.kind;
      this.parts.onChange();
    }
    this.#ask(followed.leaseSeconds);
    let nextMs = TICK_MS;
    if (now.kind === "held") {
      this.#writeFile(now, followed.leaseSeconds);
      nextMs = Math.min(renewAfterMs(followed.leaseSeconds) / 2, now.untilMs - process.host.monotonicNow());
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
    const readAtMs = this.#ledger.newestReadMs;
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
      process.engine.seen.note("fence at the end of a lease");
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
