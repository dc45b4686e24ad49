import http, { type IncomingMessage } from "node:http";
import https, { type AgentOptions } from "node:https";
import { OrchestratorError, type OrchestratorErrorCode } from "./error.js";

/** Answers above this size are not read: clusters have hundreds of servers, not a million. Bytes. */
const LARGEST_ANSWER = 32 * 1024 * 1024;
/** At one Orchestrator node at a time; its own database is what answers. */
const CONNECTIONS = 8;

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface TlsSettings {
  /** PEM. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
}

/** GETs with one limit from the first byte sent to the last byte read. Node's own fetch takes no certificates. */
export class HttpGetter {
  readonly #http = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #https: https.Agent;
  readonly #headers: Readonly<Record<string, string>>;

  /** `headers` may hold secrets: they go into no error. */
  constructor(tls: TlsSettings, headers: Readonly<Record<string, string>>) {
    const { serverName, ...pem } = tls;
    const options: AgentOptions = { keepAlive: true, maxSockets: CONNECTIONS, ...pem };
    if (serverName !== undefined) options.servername = serverName;
    this.#https = new https.Agent(options);
    this.#headers = { accept: "application/json", ...headers };
  }

  /** @throws {OrchestratorError} for everything but an answer; a redirect is an answer */
  get(
    url: string,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<HttpAnswer> {
    const secure = url.startsWith("https:");
    const place = url.replace(/\?.*$/, "");
    const { timeoutMs, signal } = limits;
    return new Promise((resolve, reject) => {
      const fail = (code: OrchestratorErrorCode, what: string): void => {
        reject(new OrchestratorError(code, `${place} ${what}`));
      };
      const options = { agent: secure ? this.#https : this.#http, headers: this.#headers, signal };
      const request = (secure ? https : http).get(url, options, (response) => {
        readAll(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          (error: unknown) => fail("ORCHESTRATOR_UNEXPECTED_ANSWER", `broke off: ${messageOf(error)}`),
        );
        response.once("close", () => clearTimeout(timer));
      });
      let timer: NodeJS.Timeout | undefined;
      // Not while it waits for a connection: with many clusters a slow Orchestrator would look like one that is away.
      request.once("socket", () => {
        timer = setTimeout(() => {
          fail("ORCHESTRATOR_TIMEOUT", `does not answer within ${String(timeoutMs)} ms`);
          request.destroy();
        }, timeoutMs);
      });
      request.once("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const untrusted = /CERT|SELF_SIGNED|^ERR_(?:TLS|SSL)|UNABLE_TO/.test(error.code ?? "");
        fail(
          untrusted ? "ORCHESTRATOR_TLS" : "ORCHESTRATOR_UNREACHABLE",
          `can't be reached: ${messageOf(error)}`,
        );
      });
    });
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    const bytes = part as Buffer;
    size += bytes.length;
    if (size > LARGEST_ANSWER) {
      response.destroy();
      throw new Error(`it is larger than ${String(LARGEST_ANSWER)} bytes`);
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString("utf8");
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one name: the message is empty, the reasons are inside (Node 20, happy eyeballs).
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error.message;
}
