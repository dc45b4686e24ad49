import { passwordKey } from "../wire/native-password.js";
import { FieldReader } from "../wire/codec.js";
import { COM } from "../wire/constants.js";
import { LinkError, ServerLink } from "../wire/server-link.js";

/** A server as the monitor knows it. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
}

/** How the monitor logs in, and how long a check may take. */
export interface ProbeOptions {
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
}

/** The answer of a check; `value` is the first column of the first row, where there is one. */
export type ProbeResult =
  | { readonly ok: true; readonly value: string | undefined; readonly tookMs: number }
  | { readonly ok: false; readonly error: string; readonly tookMs: number };

/** Keeps one connection to each server and asks it things. */
export class Probe {
  readonly #links = new Map<string, ServerLink>();

  /** Asks a query, or pings when there is none. Never throws. */
  async ask(target: Target, query: string | undefined, options: ProbeOptions): Promise<ProbeResult> {
    const startedAt = Date.now();
    const name = `${target.hostname}:${target.port}`;
    let timedOut = false;
    let link = this.#links.get(name);
    const timer = setTimeout(() => {
      timedOut = true;
      link?.destroy();
    }, options.timeoutMs);
    try {
      if (!link || link.closed) {
        link = new ServerLink(target.hostname, target.port);
        this.#links.set(name, link);
        await login(link, options);
      }
      const value = await answer(link, query);
      return { ok: true, value, tookMs: Date.now() - startedAt };
    } catch (error) {
      link?.destroy();
      this.#links.delete(name);
      const tookMs = Date.now() - startedAt;
      if (timedOut) return { ok: false, error: `timeout check after ${tookMs}ms`, tookMs };
      return { ok: false, error: error instanceof Error ? error.message : String(error), tookMs };
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    for (const link of this.#links.values()) link.destroy();
    this.#links.clear();
  }
}

function login(link: ServerLink, { user, password, timeoutMs }: ProbeOptions): Promise<void> {
  const key = password === "" ? Buffer.alloc(0) : passwordKey(password);
  return link.login({ user, key, database: "", timeoutMs });
}

async function answer(link: ServerLink, query: string | undefined): Promise<string | undefined> {
  const command =
    query === undefined
      ? Buffer.from([COM.PING])
      : Buffer.concat([Buffer.from([COM.QUERY]), Buffer.from(query, "utf8")]);
  const packets: Buffer[] = [];
  const end = await link.command(command, (packet) => void packets.push(packet));
  if (end === "lost") throw new LinkError(2013, "HY000", "Lost connection to server during query");
  if (end.error) throw new LinkError(end.error.errno, end.error.sqlstate, end.error.message);
  // One column: column count, its definition, EOF, then the row.
  const row = query === undefined ? undefined : packets[3];
  return row && new FieldReader(row).block().toString("utf8");
}
