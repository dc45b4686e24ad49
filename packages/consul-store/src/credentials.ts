import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ConsulError } from "./errors.js";
import type { ConsulOptions, TlsOptions } from "./types.js";

/** The token, from the file where there is one. */
export class TokenSource {
  readonly #options: Pick<ConsulOptions, "token" | "tokenFile">;
  #token: string | undefined;
  #read = false;

  constructor(options: Pick<ConsulOptions, "token" | "tokenFile">) {
    this.#options = options;
  }

  /** @throws {ConsulError} CONSUL_CONFIGURATION when the file can't be read */
  current(): string | undefined {
    if (!this.#read) this.#token = this.#load();
    this.#read = true;
    return this.#token;
  }

  /** The token that was last read, to keep it out of messages. */
  get known(): string | undefined {
    return this.#token;
  }

  /** Whence the token is, for messages: a variable that goes over a file's setting is the usual wrong token. */
  get whence(): string {
    if (this.#token === undefined) return "no token was given";
    const { tokenFile } = this.#options;
    return tokenFile === undefined ? "the token of CONSUL_HTTP_TOKEN" : `the token in ${tokenFile}`;
  }

  /**
   * Reads the file again, after a 403: tokens get rotated under a running program. True when there is another token
   * now; a file that can't be read leaves the old one.
   */
  refresh(): boolean {
    const before = this.#token;
    try {
      this.#token = this.#load();
    } catch {
      return false;
    }
    return this.#token !== before;
  }

  #load(): string | undefined {
    const { token, tokenFile } = this.#options;
    if (tokenFile === undefined) return token === "" ? undefined : token;
    const text = readFile(tokenFile, "token file").toString("utf8").trim();
    return text === "" ? undefined : text;
  }
}

/** Options of node:tls. @throws {ConsulError} CONSUL_CONFIGURATION when a file can't be read */
export interface NodeTls {
  readonly ca?: Buffer[];
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** As for Consul's own client, a CA that is given takes the place of the system's. */
export function nodeTls(tls: TlsOptions = {}): NodeTls {
  const ca = [
    ...(tls.caFile === undefined ? [] : [readFile(tls.caFile, "CA file")]),
    ...(tls.caPath === undefined ? [] : readFolder(tls.caPath)),
  ];
  return {
    rejectUnauthorized: tls.verify ?? true,
    ...(ca.length === 0 ? {} : { ca }),
    ...(tls.certFile === undefined ? {} : { cert: readFile(tls.certFile, "client certificate") }),
    ...(tls.keyFile === undefined ? {} : { key: readFile(tls.keyFile, "client key") }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

function readFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, what, error);
  }
}

function readFolder(path: string): Buffer[] {
  try {
    const files = readdirSync(path, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    if (files.length === 0) throw new Error("it is empty");
    return files.map((entry) => readFileSync(join(path, entry.name)));
  } catch (error) {
    throw unreadable(path, "CA folder", error);
  }
}

function unreadable(path: string, what: string, cause: unknown): ConsulError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConsulError("CONSUL_CONFIGURATION", `the ${what} ${path} can't be read: ${why}`, { cause });
}
