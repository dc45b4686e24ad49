import type { Server } from "@primacy/contract";

export const CLUSTER = "main";
export const WRITER = 10;

export const SERVERS: readonly Server[] = ["db1", "db2", "db3"].map((host) => ({ host, port: 3306 }));

/** A server as its place in {@link SERVERS}; sets of servers are bits. */
export function placeOf(server: Server): number {
  return SERVERS.findIndex((one) => one.host === server.host);
}

export function bitOf(server: Server): number {
  return 1 << placeOf(server);
}

export function namesOf(bits: number): string {
  const names = SERVERS.filter((_, place) => (bits & (1 << place)) !== 0).map((one) => one.host);
  return names.length === 0 ? "nobody" : names.join("+");
}
