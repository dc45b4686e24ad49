import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerOptions } from "node:https";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { TlsOptions } from "../src/types.js";
import { FakeAgent, emptyFolder, makeStore } from "./support/agent.js";
import { record } from "./support/documents.js";

const file = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url));
const CA = file("ca.pem");
const SERVER_NAME = "server.dc1.consul";

describe("TLS", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });
  const started = async (more: ServerOptions = {}): Promise<FakeAgent> => {
    const tls = {
      cert: readFileSync(file("server.pem")),
      key: readFileSync(file("server-key.pem")),
      ...more,
    };
    const agent = await FakeAgent.start(emptyFolder, { tls });
    toClose.push(() => agent.close());
    return agent;
  };
  const read = async (agent: FakeAgent, tls?: TlsOptions): Promise<string> => {
    const store = makeStore([agent.address], { tls });
    toClose.push(() => store.close());
    return (await store.readCluster("main")).address;
  };

  it("believes a certificate of the given CA for the given name", async () => {
    const agent = await started();
    expect(await read(agent, { caFile: CA, serverName: SERVER_NAME })).toBe(agent.address);
  });

  it("takes all CAs of a folder", async () => {
    const agent = await started();
    const folder = mkdtempSync(join(tmpdir(), "primacy-ca-"));
    toClose.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "one.pem"), readFileSync(CA));
    expect(await read(agent, { caPath: folder, serverName: SERVER_NAME })).toBe(agent.address);
  });

  it.each<[string, TlsOptions | undefined]>([
    ["no CA", undefined],
    ["no CA but the name", { serverName: SERVER_NAME }],
    ["another name", { caFile: CA, serverName: "other.dc1.consul" }],
    ["the address for a name", { caFile: CA }],
  ])("is verified by default: %s is refused before anything is sent", async (_, tls) => {
    const agent = await started();
    await expect(read(agent, tls)).rejects.toMatchObject({ code: "CONSUL_TLS", notSent: true });
    expect(agent.requests).toEqual([]);
    const store = makeStore([agent.address], { tls });
    const first = { expectedIndex: 0, record: record("main", 1) };
    expect(await store.commitRecord("main", first, { deadlineMs: 1000 })).toMatchObject({
      outcome: "not-written",
      cause: { code: "CONSUL_TLS" },
    });
    store.close();
  });

  it("is not verified where an operator says so", async () => {
    const agent = await started();
    expect(await read(agent, { verify: false })).toBe(agent.address);
  });

  it("shows its own certificate where Consul asks for one", async () => {
    const agent = await started({ requestCert: true, rejectUnauthorized: true, ca: readFileSync(CA) });
    const tls = { caFile: CA, serverName: SERVER_NAME };
    await expect(read(agent, tls)).rejects.toMatchObject({ name: "ConsulError" });
    expect(agent.requests).toEqual([]);
    const own = { certFile: file("client.pem"), keyFile: file("client-key.pem") };
    expect(await read(agent, { ...tls, ...own })).toBe(agent.address);
  });

  it.each<TlsOptions>([
    { caFile: "/nowhere/ca.pem" },
    { caPath: "/nowhere" },
    { certFile: "/nowhere/cert.pem" },
  ])("with a file that can't be read (%j) says which", async (tls) => {
    const agent = await started();
    await expect(read(agent, tls)).rejects.toMatchObject({
      code: "CONSUL_CONFIGURATION",
      message: expect.stringContaining("/nowhere") as string,
    });
  });

  it.each<[string, TlsOptions]>([
    ["a certificate that is none", { certFile: file("server-key.pem"), keyFile: file("server-key.pem") }],
    ["a key of another certificate", { certFile: CA, keyFile: file("server-key.pem") }],
  ])("can't be spoken with %s, and says so", async (_, tls) => {
    const agent = await started();
    await expect(read(agent, tls)).rejects.toMatchObject({ code: "CONSUL_CONFIGURATION", notSent: true });
    expect(agent.requests).toEqual([]);
  });

  it("that is never agreed upon has let no request out: the write is known not to be written", async () => {
    const mute = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const sockets = new Set<Socket>();
    mute.on("connection", (socket) => sockets.add(socket));
    const { port } = mute.address() as AddressInfo;
    const first = { expectedIndex: 0, record: record("main", 1) };
    const commit = async (address: string): Promise<unknown> => {
      const store = makeStore([address], { requestTimeoutMs: 200 });
      toClose.push(() => store.close());
      return store.commitRecord("main", first, { deadlineMs: 1000 });
    };
    expect(await commit(`https://127.0.0.1:${String(port)}`)).toMatchObject({
      outcome: "not-written",
      cause: { code: "CONSUL_TIMEOUT", notSent: true },
    });
    expect(await commit(`http://127.0.0.1:${String(port)}`)).toMatchObject({
      outcome: "unknown",
      cause: { code: "CONSUL_TIMEOUT", notSent: false },
    });
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  it("spoken to a server that has none is an error of its own", async () => {
    const plain = await FakeAgent.start(emptyFolder);
    toClose.push(() => plain.close());
    const store = makeStore([plain.address.replace("http:", "https:")]);
    toClose.push(() => store.close());
    await expect(store.readCluster("main")).rejects.toMatchObject({ code: "CONSUL_TLS" });
  });
});
