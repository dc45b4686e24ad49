import { DEFAULT_PREFIX, type Parsed, keyPrefix } from "@primacy/contract";
import { parseAgentAddress } from "./address.js";
import type { ConsulOptions, TlsOptions } from "./types.js";

type Variables = Readonly<Record<string, string | undefined>>;

const DEFAULT_ADDRESS = "http://127.0.0.1:8500";
const DEFAULT_REQUEST_TIMEOUT_MS = 2000;

/**
 * Reads the variables of Consul's own CLI: CONSUL_HTTP_ADDR (here also a comma-separated list), CONSUL_HTTP_TOKEN,
 * CONSUL_HTTP_TOKEN_FILE (which wins), CONSUL_HTTP_AUTH, CONSUL_HTTP_SSL, CONSUL_HTTP_SSL_VERIFY, CONSUL_CACERT,
 * CONSUL_CAPATH, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME, CONSUL_NAMESPACE, CONSUL_PARTITION;
 * and PRIMACY_CONSUL_DATACENTER and PRIMACY_PREFIX. An empty variable counts as none. `overrides` win.
 *
 * A problem never quotes a token or a password.
 */
export function consulOptionsFromEnvironment(
  env: Variables,
  overrides: Partial<ConsulOptions> = {},
): Parsed<ConsulOptions> {
  const secure = flag(env, "CONSUL_HTTP_SSL", false);
  if (!secure.ok) return secure;
  const tls = tlsOptions(env, overrides.tls);
  if (!tls.ok) return tls;
  const prefix = keyPrefix(overrides.prefix ?? value(env, "PRIMACY_PREFIX") ?? DEFAULT_PREFIX);
  if (!prefix.ok) return prefix;
  const given = overrides.addresses ?? (value(env, "CONSUL_HTTP_ADDR") ?? DEFAULT_ADDRESS).split(",");
  const addresses = parseAddresses(given, secure.value);
  if (!addresses.ok) return addresses;
  return {
    ok: true,
    value: {
      addresses: addresses.value,
      ...credentials(env, overrides),
      datacenter: overrides.datacenter ?? value(env, "PRIMACY_CONSUL_DATACENTER"),
      namespace: overrides.namespace ?? value(env, "CONSUL_NAMESPACE"),
      partition: overrides.partition ?? value(env, "CONSUL_PARTITION"),
      tls: tls.value,
      prefix: prefix.value,
      requestTimeoutMs: overrides.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    },
  };
}

function parseAddresses(texts: readonly string[], secure: boolean): Parsed<string[]> {
  const given = texts.filter((text) => text.trim() !== "");
  if (given.length === 0) return { ok: false, problem: "no Consul address is given" };
  const addresses: string[] = [];
  for (const text of given) {
    const parsed = parseAgentAddress(text, secure);
    if (!parsed.ok) return parsed;
    addresses.push(parsed.value.text);
  }
  return { ok: true, value: addresses };
}

/** A token that was given outright is not beaten by the environment's file. */
function credentials(
  env: Variables,
  overrides: Partial<ConsulOptions>,
): Pick<ConsulOptions, "token" | "tokenFile" | "httpAuth"> {
  const tokenFile = overrides.token === undefined ? value(env, "CONSUL_HTTP_TOKEN_FILE") : undefined;
  return {
    token: overrides.token ?? value(env, "CONSUL_HTTP_TOKEN"),
    tokenFile: overrides.tokenFile ?? tokenFile,
    httpAuth: overrides.httpAuth ?? value(env, "CONSUL_HTTP_AUTH"),
  };
}

function tlsOptions(env: Variables, overrides: TlsOptions | undefined): Parsed<TlsOptions> {
  const verify = flag(env, "CONSUL_HTTP_SSL_VERIFY", true);
  if (!verify.ok) return verify;
  const tls: TlsOptions = {
    caFile: overrides?.caFile ?? value(env, "CONSUL_CACERT"),
    caPath: overrides?.caPath ?? value(env, "CONSUL_CAPATH"),
    certFile: overrides?.certFile ?? value(env, "CONSUL_CLIENT_CERT"),
    keyFile: overrides?.keyFile ?? value(env, "CONSUL_CLIENT_KEY"),
    serverName: overrides?.serverName ?? value(env, "CONSUL_TLS_SERVER_NAME"),
    verify: overrides?.verify ?? verify.value,
  };
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    return {
      ok: false,
      problem: "a client certificate and its key (CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY) go together",
    };
  }
  return { ok: true, value: tls };
}

/** As Go's strconv.ParseBool. Consul's client ignores what it can't read; here it is an error, as it is about TLS. */
function flag(env: Variables, name: string, otherwise: boolean): Parsed<boolean> {
  const text = value(env, name);
  if (text === undefined) return { ok: true, value: otherwise };
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return { ok: true, value: true };
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return { ok: true, value: false };
  return { ok: false, problem: `${name} must be true or false` };
}

function value(env: Variables, name: string): string | undefined {
  const text = env[name];
  return text === undefined || text === "" ? undefined : text;
}
