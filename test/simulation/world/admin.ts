import type { Process } from "./host.js";
import type { Answer } from "./network.js";
import type { ProxySqlModel } from "./proxysql.js";

/** The limit of one statement. Milliseconds. */
const TIMEOUT_MS = 2000;

/**
 * One statement on the admin port, from a process beside it. Between deciding and sending the process may be stopped;
 * what is sent takes effect whatever becomes of the sender.
 */
export function onAdmin<T>(
  process: Process,
  proxysql: ProxySqlModel,
  work: () => T,
  done: (answer: Answer<T>) => void,
): void {
  const { engine } = process;
  const { random } = engine;
  process.noteCall("proxysql");
  process.after(random.between(0, 0.2), () => {
    let settled = false;
    const settle = (answer: Answer<T>): void => {
      if (settled) return;
      settled = true;
      timer.cancel();
      done(answer);
    };
    const timer = process.after(TIMEOUT_MS, () => {
      settle({ ok: false });
    });
    const { starts } = proxysql;
    let value: { readonly of: T } | null = null;
    const receive = process.receiver(() => {
      settle(value === null ? { ok: false } : { ok: true, value: value.of });
    });
    const hangsMs = Math.max(0, proxysql.adminHangsUntilMs - engine.now);
    engine.after(hangsMs + (random.chance(0.02) ? random.between(5, 200) : random.between(0.1, 2)), () => {
      process.host.whenAwake(() => {
        if (proxysql.up && proxysql.starts === starts) value = { of: work() };
        engine.after(random.between(0.1, 1), receive);
      });
    });
  });
}
