import type { RuntimeServer } from "./server.js";

/** The variables that decide about shunning. */
export interface ShunSettings {
  /** mysql-shun_on_failures: errors within one second. */
  readonly onFailures: number;
  /** mysql-connect_retries_on_failure. */
  readonly connectRetries: number;
  /** mysql-shun_recovery_time_sec. */
  readonly recoverySeconds: number;
  /** mysql-connect_timeout_server_max. */
  readonly connectTimeoutMaxMs: number;
  /** mysql-monitor_ping_interval, or undefined when the monitor is off. */
  readonly pingIntervalMs: number | undefined;
}

/** Errors that say nothing about the server's health (lib/MySrvC.cpp:47, connect_error). */
const HARMLESS_RANGES: readonly (readonly [number, number])[] = [
  [1007, 1008],
  [1044, 1045],
  [1048, 1052],
  [1054, 1075],
  [1099, 1104],
  [1106, 1113],
  [1116, 1118],
  [1120, 1120],
  [1136, 1136],
  [1138, 1149],
  [1203, 1203],
  [1226, 1226],
  [3118, 3118],
];

/** The server after an error on connecting to it, at Unix second `now`. */
export function afterConnectError(
  server: RuntimeServer,
  errno: number,
  now: number,
  settings: ShunSettings,
): RuntimeServer {
  if (HARMLESS_RANGES.some(([from, to]) => errno >= from && errno <= to)) return server;
  if (now > server.lastErrorAt) return { ...server, lastErrorAt: now, errorsThen: 1 };
  // A time in the future was set by the monitor: the server is known to be dead until then.
  if (now < server.lastErrorAt) return server;
  const counted = { ...server, errorsThen: server.errorsThen + 1 };
  const limit = Math.min(settings.onFailures, settings.connectRetries + 1);
  if (counted.errorsThen < limit || counted.status !== "ONLINE") return counted;
  return { ...counted, status: "SHUNNED", shunnedAutomatically: true };
}

/**
 * The server after mysql-monitor_ping_max_failures failed pings: shunned, and nobody may go on using it
 * (lib/MySQL_HostGroups_Manager.cpp:4068, shun_and_killall).
 */
export function afterFailedPings(server: RuntimeServer, now: number, settings: ShunSettings): RuntimeServer {
  const pingSeconds = Math.floor((settings.pingIntervalMs ?? 0) / 1000);
  const lastErrorAt = now + Math.max(0, pingSeconds - settings.recoverySeconds);
  const shunned = { ...server, lastErrorAt, shunnedAutomatically: true, killAll: true };
  switch (server.status) {
    case "ONLINE":
      return { ...shunned, status: "SHUNNED" };
    case "SHUNNED":
      return server.shunnedAutomatically ? shunned : { ...server, lastErrorAt };
    case "OFFLINE_SOFT":
      return shunned;
    case "OFFLINE_HARD":
    case "SHUNNED_REPLICATION_LAG":
      return { ...server, lastErrorAt };
  }
}

/** Seconds after which a shunned server may be tried again; `desperate`: when no other server is left. */
export function recoverySeconds(settings: ShunSettings, desperate: boolean): number {
  const { recoverySeconds: seconds, connectTimeoutMaxMs } = settings;
  const capped = seconds * 1000 >= connectTimeoutMaxMs;
  const wait = capped
    ? Math.floor(connectTimeoutMaxMs / (desperate ? 10_000 : 1000)) - 1
    : Math.floor(desperate ? seconds / 10 : seconds);
  return Math.max(1, wait);
}

/** The server as it is when it has been brought back. */
export function recovered(server: RuntimeServer): RuntimeServer {
  return {
    ...server,
    status: "ONLINE",
    shunnedAutomatically: false,
    killAll: false,
    lastErrorAt: 0,
    errorsThen: 0,
  };
}
