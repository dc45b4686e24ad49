import * as z from "zod";

/**
 * A MySQL server, as `host:port`.
 *
 * `host` is always in its one canonical form: lower case, no trailing dot, IPv6 compressed and without brackets.
 * ProxySQL compares host names byte by byte (`db1` and `DB1` are two rows there), Orchestrator and people do not:
 * so every host passes through {@link canonicalHost} once, on its way in.
 */
export interface Server {
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
}

/** The outcome of reading something that people or other programs wrote. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** Case is ignored here and not taken away before: the Kelvin sign, for one, becomes a plain k in lower case. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** The one way in which a host is written, or undefined for text that is no host name or address. */
export function canonicalHost(text: string): string | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare.includes(":")) return canonicalIpv6(bare);
  if (bare !== text) return undefined;
  const name = bare.replace(/\.$/, "");
  return HOST_NAME.test(name) ? name.toLowerCase() : undefined;
}

function canonicalIpv6(text: string): string | undefined {
  if (!z.ipv6().safeParse(text).success) return undefined;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

/** Reads `host:port`; a bare IPv6 address must stand in brackets. Without a port, `defaultPort` is taken when given. */
export function parseServer(text: string, defaultPort?: number): Parsed<Server> {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return { ok: false, problem: `"${printable(text)}" is not host:port` };
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port === undefined) return { ok: false, problem: `"${printable(text)}" has no port` };
  return makeServer(match[1] ?? "", port);
}

/** A server from a host and a port that came separately. */
export function makeServer(host: string, port: number): Parsed<Server> {
  const canonical = canonicalHost(host);
  if (canonical === undefined)
    return { ok: false, problem: `"${printable(host)}" is not a host name or address` };
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return { ok: false, problem: `${String(port)} is not a port between 1 and 65535` };
  }
  return { ok: true, value: { host: canonical, port } };
}

/** `host:port`, with IPv6 addresses in brackets. */
export function formatServer(server: Server): string {
  return server.host.includes(":")
    ? `[${server.host}]:${String(server.port)}`
    : `${server.host}:${String(server.port)}`;
}

export function sameServer(a: Server | null | undefined, b: Server | null | undefined): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return false;
  return a.port === b.port && (a.host === b.host || a.host.toLowerCase() === b.host.toLowerCase());
}

/** Order by host, then port: for stable documents and plans. */
export function compareServers(a: Server, b: Server): number {
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.port - b.port;
}

export function includesServer(list: readonly Server[], server: Server): boolean {
  return list.some((one) => sameServer(one, server));
}

/** Text fit for an error message: no control characters, no more than `limit` characters. */
export function printable(text: string, limit = 80): string {
  // eslint-disable-next-line no-control-regex
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
  return clean.length > limit ? `${clean.slice(0, limit - 3)}...` : clean;
}

const hostSchema = z.string().transform((text, context) => {
  const host = canonicalHost(text);
  if (host !== undefined) return host;
  context.issues.push({
    code: "custom",
    input: text,
    message: `"${printable(text)}" is not a host name or address`,
  });
  return z.NEVER;
});

export const portSchema = z.int().min(1).max(65_535);

export const serverSchema = z.object({ host: hostSchema, port: portSchema }).readonly();

/** The fields of {@link serverSchema}, for documents in which a server has more fields than its address. */
export const serverFields = { host: hostSchema, port: portSchema } as const;
