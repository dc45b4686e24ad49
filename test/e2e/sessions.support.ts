import type { ConsulStore } from "@primacy/consul-store";
import { onTestFinished } from "vitest";

const RENEW_MS = 2000;

/**
 * Consul takes a watcher that hangs, or is dead, for alive until its session ends: half a minute after the last renewal,
 * by when a machine that is out of breath may not be through with what a test wants to see. This renews the sessions of
 * these proxies in their watchers' place.
 *
 * @returns a function that leaves the sessions to their TTL; the end of the test does so too
 */
export async function keepSessions(store: ConsulStore, ...proxies: readonly string[]): Promise<() => void> {
  const { acknowledgements } = await store.readAcknowledgements("main", { deadlineMs: 20_000 });
  const ids = acknowledgements.flatMap(({ proxy, sessionId }) =>
    proxies.includes(proxy) && sessionId !== null ? [sessionId] : [],
  );
  if (ids.length !== proxies.length) throw new Error(`of ${proxies.join(", ")} not all have a session`);
  const timer = setInterval(() => {
    for (const id of ids) store.renewSession(id).catch(() => undefined);
  }, RENEW_MS);
  const letGo = (): void => clearInterval(timer);
  onTestFinished(letGo);
  return letGo;
}
