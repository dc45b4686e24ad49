import * as z from "zod";
import {
  type Document,
  type DocumentKind,
  MAX_DOCUMENT_CHARACTERS,
  documentText,
  firstIssue,
  readDocument,
} from "./document.js";
import { LEASE_SECONDS } from "./lease.js";
import { type Parsed, type Server, formatServer, parseServer, sameServer, serverFields } from "./server.js";

export const LAYOUT_FORMAT = 1;

/**
 * How long drains and fences may last where a layout says nothing. Seconds. A drain is short of
 * `mysql-connect_timeout_server_max` (10 s in ProxySQL 2.7): a client that waits longer gets error 9001.
 */
export const USUAL_DRAIN_SECONDS = 2;
export const USUAL_FENCE_SECONDS = 60;

const hostgroup = z.int().min(0).max(2_147_483_647);

/** Values for columns of `mysql_servers` in rows that Primacy inserts. Rows that exist keep what operators set. */
const columns = {
  weight: z.int().min(0).max(10_000_000),
  maxConnections: z.int().min(0),
  useSsl: z.boolean(),
} as const;

const otherName = z.string().transform((text, context): Server => {
  const parsed = parseServer(text, 3306);
  if (parsed.ok) return parsed.value;
  context.issues.push({ code: "custom", input: text, message: parsed.problem });
  return z.NEVER;
});

const layoutServerSchema = z
  .strictObject({
    ...serverFields,
    port: serverFields.port.default(3306),
    /** Could it become master? Candidates have a standing row in the writer hostgroup. */
    candidate: z.boolean().default(true),
    /** Does it serve reads when it is a healthy replica? */
    reads: z.boolean().default(true),
    /** Other `host:port` by which Orchestrator may call it. */
    alsoKnownAs: z.array(otherName).max(16).default([]).readonly(),
    /** Its own; where it has none, the layout's `defaults` hold. */
    weight: columns.weight.optional(),
    maxConnections: columns.maxConnections.optional(),
    useSsl: columns.useSsl.optional(),
  })
  .readonly();
export type LayoutServer = z.infer<typeof layoutServerSchema>;

/**
 * The layout: what an operator says of a cluster. Strict, unlike the record: a misspelt policy must be an error and
 * not a default.
 */
export const layoutSchema = z
  .strictObject({
    format: z.literal(LAYOUT_FORMAT),
    /** The name of the cluster: Orchestrator's cluster alias. */
    cluster: z.string().min(1).max(64),
    hostgroups: z.strictObject({ writer: hostgroup, reader: hostgroup.nullable().default(null) }).readonly(),
    servers: z.array(layoutServerSchema).min(1).max(256).readonly(),
    defaults: z
      .strictObject({
        weight: columns.weight.default(1),
        maxConnections: columns.maxConnections.default(1000),
        useSsl: columns.useSsl.default(false),
      })
      .default({ weight: 1, maxConnections: 1000, useSsl: false })
      .readonly(),
    /** Does the master serve reads too? `fallback`: only when no replica is left. */
    masterReads: z.enum(["always", "fallback", "never"]).default("fallback"),
    /**
     * With fewer replicas than this that may read, the master reads too (unless `masterReads` is never) and the watchers
     * say so: a mass misreading must not turn the readers away.
     */
    readerFloor: z.int().min(0).max(256).default(1),
    /** Do replicas that Orchestrator finds read without standing here, and leave when they are gone there? */
    discover: z.boolean().default(false),
    /** A replica further behind than this serves no reads. Seconds. */
    maxLagSeconds: z.int().min(1).max(86_400).default(30),
    /** How long a former master must have been seen read-only and replicating before it serves reads. Seconds. */
    quarantineSeconds: z.int().min(0).max(86_400).default(60),
    /** How long a drain may last before whoever reconciles must end it. Seconds. */
    drainSeconds: z.int().min(1).max(3600).default(USUAL_DRAIN_SECONDS),
    /** How long a fence may last before whoever reconciles must end it. Seconds. */
    fenceSeconds: z.int().min(1).max(3600).default(USUAL_FENCE_SECONDS),
    /**
     * What a proxy does that cannot hear from Consul. `keep`: what it has, also where that is the old master. `lease`:
     * it takes writes for `leaseSeconds` and then for none.
     */
    onConsulLoss: z.enum(["keep", "lease"]).default("keep"),
    /** How long a proxy under a lease goes on without hearing from Consul. Seconds; less than the session's TTL. */
    leaseSeconds: z.int().min(LEASE_SECONDS.least).max(LEASE_SECONDS.most).default(LEASE_SECONDS.usual),
    /** When a fence cannot be raised, or not on every proxy: does Orchestrator go on with the failover, or stop? */
    onFenceFailure: z.enum(["continue", "stop"]).default("continue"),
    /**
     * Who sets read_only=0 on the new master. `orchestrator`: before any hook hears of it. `primacy`: the writer, once
     * every proxy has left the old one (Orchestrator needs ApplyMySQLPromotionAfterMasterFailover=false).
     */
    openedBy: z.enum(["orchestrator", "primacy"]).default("orchestrator"),
  })
  .readonly()
  .superRefine((layout, context) => {
    const problem = layoutProblem(layout);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
export type Layout = z.infer<typeof layoutSchema>;

interface LayoutParts {
  readonly hostgroups: { readonly writer: number; readonly reader: number | null };
  readonly servers: readonly LayoutServer[];
}

function layoutProblem(layout: LayoutParts): string | undefined {
  if (layout.hostgroups.writer === layout.hostgroups.reader) {
    return "the writer and the reader hostgroup must be two";
  }
  if (!layout.servers.some((server) => server.candidate)) return "no server is a candidate";
  const names = layout.servers.flatMap((server): Server[] => [server, ...server.alsoKnownAs]);
  const twice = names.find((name, index) => names.slice(0, index).some((other) => sameServer(name, other)));
  return twice === undefined ? undefined : `${formatServer(twice)} is named twice`;
}

/**
 * Reads a stored layout. Fields that this version doesn't know are left out of account, so that the watchers of a fleet
 * need not be upgraded before the first layout of a newer writer; whatever changes the meaning of a known one raises
 * `format`. What an operator writes is read by `parseLayout`, which refuses them.
 */
export function readLayout(text: string | null | undefined): Document<Layout> {
  return readDocument(LAYOUT, text);
}

const tolerantLayoutSchema = z.preprocess(withoutUnknownFields, layoutSchema);

const LAYOUT: DocumentKind<Layout> = { what: "layout", format: LAYOUT_FORMAT, schema: tolerantLayoutSchema };

function withoutUnknownFields(value: unknown): unknown {
  const parsed = layoutSchema.safeParse(value);
  if (parsed.success) return value;
  return parsed.error.issues
    .filter((issue) => issue.code === "unrecognized_keys")
    .reduce<unknown>((rest, { path, keys }) => withoutKeys(rest, path, keys), value);
}

/** Copies along `path` only: the unknown may be nested so deep that a copy of it ends with a RangeError. */
function withoutKeys(value: unknown, path: readonly PropertyKey[], keys: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [step, ...further] = path;
  if (step === undefined) {
    return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
  }
  const at = (value as Record<PropertyKey, unknown>)[step];
  const changed = withoutKeys(at, further, keys);
  return Array.isArray(value) ? value.with(Number(step), changed) : { ...value, [step]: changed };
}

/** Validates what an operator wrote, after its YAML or JSON has been read. `format` may be left out there. */
export function parseLayout(value: unknown): Parsed<Layout> {
  const complete =
    typeof value === "object" && value !== null && !Array.isArray(value) && !("format" in value)
      ? { format: LAYOUT_FORMAT, ...value }
      : value;
  const parsed = layoutSchema.safeParse(complete);
  if (!parsed.success) return { ok: false, problem: firstIssue(parsed.error) };
  const { length } = layoutText(parsed.data);
  if (length <= MAX_DOCUMENT_CHARACTERS) return { ok: true, value: parsed.data };
  return {
    ok: false,
    problem: `it has ${String(length)} characters, and nobody reads more than ${String(MAX_DOCUMENT_CHARACTERS)}`,
  };
}

/** The canonical text: every default written out, so that the stored layout says what holds. */
export function layoutText(layout: Layout): string {
  const servers = layout.servers.map((server) => ({
    ...server,
    alsoKnownAs: server.alsoKnownAs.map(formatServer),
  }));
  return documentText({ ...layout, servers });
}

/** The layout's server that is called `name`, by its own address or another of its names. */
export function layoutServer(layout: Layout, name: Server): LayoutServer | undefined {
  return layout.servers.find(
    (server) => sameServer(server, name) || server.alsoKnownAs.some((other) => sameServer(other, name)),
  );
}

/** The address under which proxies reach the server that Orchestrator calls `name`; `name` itself where unknown. */
export function canonicalServer(layout: Layout | undefined, name: Server): Server {
  const known = layout === undefined ? undefined : layoutServer(layout, name);
  return known === undefined ? name : { host: known.host, port: known.port };
}

export function isCandidate(layout: Layout, server: Server): boolean {
  return layoutServer(layout, server)?.candidate === true;
}
