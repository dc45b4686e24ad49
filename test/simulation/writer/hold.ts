import type { Roster } from "@primacy/consul-store";
import type { MasterRecord } from "@primacy/contract";
import type { Barrier, BarrierQuestion } from "../../../packages/writer/src/barrier.js";
import { call } from "../world/network.js";
import type { WriterParts } from "./commit.js";

const REQUEST_MS = 2500;
const POLL_MS = 400;

/** `waitForProxies`: until the barrier of a record is reached, or given up. */
export function hold(parts: WriterParts, record: MasterRecord, done: (barrier: Barrier) => void): void {
  const { process, layout, rules } = parts;
  const { host } = process;
  const committedAtMs = host.monotonicNow();
  const question: BarrierQuestion = {
    record,
    committedAtMs,
    giveUpAtMs: committedAtMs + rules.longestWait(record, layout, host.wallNow()),
    leaseSeconds: layout.onConsulLoss === "lease" ? layout.leaseSeconds : null,
  };
  let roster: Roster | null = null;
  const look = (): void => {
    readRoster(parts, (fresh) => {
      if (fresh !== null) roster = fresh;
      const now = host.monotonicNow();
      const state = rules.barrier(question, roster, now);
      if (state.kind !== "waiting") {
        const by = state.kind === "reached" ? ` by ${state.by}` : "";
        process.engine.seen.note(`barrier ${state.kind}${by}`);
        process.engine.tell(process.name, () => barrierText(state, record));
        done(state);
        return;
      }
      process.after(Math.min(POLL_MS, Math.max(1, state.untilMs - now)), look);
    });
  };
  look();
}

function readRoster(parts: WriterParts, done: (roster: Roster | null) => void): void {
  const { process, consul } = parts;
  const sentAtMs = process.host.monotonicNow();
  const serve = (reply: (roster: Roster) => void): void => {
    reply(consul.roster(sentAtMs));
  };
  call(parts, { serve, isWrite: false, timeoutMs: REQUEST_MS }, (answer) => {
    done(answer.ok ? answer.value : null);
  });
}

function barrierText(barrier: Barrier, { generation }: MasterRecord): string {
  const by = barrier.kind === "reached" ? ` by ${barrier.by}` : "";
  const missing = barrier.missing.map(({ proxy, why }) => `${proxy}: ${why}`).join("; ");
  return `barrier of generation ${generation} ${barrier.kind}${by}, ${barrier.acknowledged} of ${barrier.of} (${missing})`;
}
