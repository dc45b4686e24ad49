import { describe, expect, it } from "vitest";
import { parseAgentAddress } from "../src/address.js";
import { consulOptionsFromEnvironment } from "../src/options.js";

const read = (...given: Parameters<typeof consulOptionsFromEnvironment>) => {
  const parsed = consulOptionsFromEnvironment(...given);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};
const problem = (...given: Parameters<typeof consulOptionsFromEnvironment>): string => {
  const parsed = consulOptionsFromEnvironment(...given);
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.value)}`);
  return parsed.problem;
};

describe("addresses", () => {
  it.each([
    ["127.0.0.1:8500", false, "http://127.0.0.1:8500"],
    ["consul.example", false, "http://consul.example"],
    ["http://consul:8500/", false, "http://consul:8500"],
    ["https://consul:8501", false, "https://consul:8501"],
    ["https://consul:443", false, "https://consul:443"],
    ["[::1]:8500", false, "http://[::1]:8500"],
    ["consul:80", true, "https://consul:80"],
    ["http://consul:8500", true, "https://consul:8500"],
    ["https://gateway/consul/", false, "https://gateway/consul"],
    ["unix:///run/consul.sock", true, "unix:///run/consul.sock"],
    [" 127.0.0.1:8500 ", false, "http://127.0.0.1:8500"],
  ])("%s (CONSUL_HTTP_SSL %s) is %s", (text, secure, expected) => {
    expect(parseAgentAddress(text, secure)).toMatchObject({ ok: true, value: { text: expected } });
  });

  it.each(["ftp://consul", "unix://relative", "", "http://", "consul:port", "http://consul?dc=x"])(
    "%j is none",
    (text) => {
      expect(parseAgentAddress(text).ok).toBe(false);
    },
  );

  it.each(["http://user:sesame@consul:8500", "user:sesame@consul:8500", "ftp://user:sesame@consul"])(
    "a password in %s is refused without being quoted",
    (text) => {
      const parsed = parseAgentAddress(text);
      expect(parsed.ok).toBe(false);
      expect(JSON.stringify(parsed)).not.toContain("sesame");
    },
  );
});

describe("the environment", () => {
  it("without any variable is Consul's own default", () => {
    expect(read({})).toMatchObject({
      addresses: ["http://127.0.0.1:8500"],
      prefix: "primacy/",
      requestTimeoutMs: 2000,
      tls: { verify: true },
    });
  });

  it("names everything that Consul's CLI reads", () => {
    const env = {
      CONSUL_HTTP_ADDR: "one:8501, https://two:8501,unix:///run/consul.sock",
      CONSUL_HTTP_TOKEN: "token",
      CONSUL_HTTP_TOKEN_FILE: "/run/token",
      CONSUL_HTTP_AUTH: "user:password",
      CONSUL_HTTP_SSL: "true",
      CONSUL_HTTP_SSL_VERIFY: "0",
      CONSUL_CACERT: "/ca.pem",
      CONSUL_CAPATH: "/ca",
      CONSUL_CLIENT_CERT: "/cert.pem",
      CONSUL_CLIENT_KEY: "/key.pem",
      CONSUL_TLS_SERVER_NAME: "server.dc1.consul",
      CONSUL_NAMESPACE: "team",
      CONSUL_PARTITION: "part",
      PRIMACY_CONSUL_DATACENTER: "dc2",
      PRIMACY_PREFIX: "/ours",
    };
    expect(read(env)).toEqual({
      addresses: ["https://one:8501", "https://two:8501", "unix:///run/consul.sock"],
      token: "token",
      tokenFile: "/run/token",
      httpAuth: "user:password",
      datacenter: "dc2",
      namespace: "team",
      partition: "part",
      tls: {
        caFile: "/ca.pem",
        caPath: "/ca",
        certFile: "/cert.pem",
        keyFile: "/key.pem",
        serverName: "server.dc1.consul",
        verify: false,
      },
      prefix: "ours/",
      requestTimeoutMs: 2000,
    });
  });

  it("is beaten by what is given outright, also its token file by a token", () => {
    const env = {
      CONSUL_HTTP_ADDR: "one:8500",
      CONSUL_HTTP_TOKEN_FILE: "/run/token",
      PRIMACY_PREFIX: "ours/",
      CONSUL_CACERT: "/ca.pem",
    };
    const given = { addresses: ["two:8500"], token: "given", prefix: "theirs/", tls: { verify: false } };
    expect(read(env, given)).toMatchObject({
      addresses: ["http://two:8500"],
      token: "given",
      tokenFile: undefined,
      prefix: "theirs/",
      tls: { verify: false, caFile: "/ca.pem" },
    });
  });

  it("counts an empty variable as none", () => {
    const env = {
      CONSUL_HTTP_ADDR: "",
      CONSUL_HTTP_TOKEN: "",
      CONSUL_HTTP_SSL_VERIFY: "",
      PRIMACY_PREFIX: "",
    };
    expect(read(env)).toEqual(read({}));
  });

  it.each([
    [{ CONSUL_HTTP_SSL_VERIFY: "no" }, "CONSUL_HTTP_SSL_VERIFY must be true or false"],
    [{ CONSUL_HTTP_SSL: "yes" }, "CONSUL_HTTP_SSL must be true or false"],
    [{ CONSUL_HTTP_ADDR: " , " }, "no Consul address"],
    [{ CONSUL_HTTP_ADDR: "good:8500,gopher://bad" }, "unknown scheme"],
    [{ CONSUL_CLIENT_CERT: "/cert.pem" }, "go together"],
    [{ PRIMACY_PREFIX: "not a prefix/" }, "key prefix"],
  ])("%j is refused", (env, expected) => {
    expect(problem(env)).toContain(expected);
  });

  it("never quotes a secret in a problem", () => {
    const env = {
      CONSUL_HTTP_TOKEN: "sesame",
      CONSUL_HTTP_AUTH: "user:sesame",
      CONSUL_HTTP_ADDR: "http://user:sesame@consul",
    };
    expect(problem(env)).not.toContain("sesame");
  });
});
