import { createHash } from "node:crypto";
import { type MasterRecord, readRecord, recordHash } from "@primacy/contract";
import { freePort } from "@primacy/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { deleteRaw, getRaw } from "../conformance/consul-store.support.js";
import { type Ended, LAYOUT, Recovery, WriterHost, bundleWriter, storedRecord } from "./writer.support.js";

export interface RunningConsul {
  readonly address: string;
  close(): Promise<unknown>;
}

/** A Consul, the program, and before each test a machine of its own on which cluster `main` was just set up. */
export class WriterBench {
  consul!: RunningConsul;
  program = "";
  host!: WriterHost;

  bootstrap(): Promise<Ended> {
    const layout = this.host.file("main.yaml", LAYOUT);
    return this.host.run(["bootstrap", "main", "--master", "127.0.0.1:3311", "--layout", layout, "--yes"]);
  }

  record(): Promise<MasterRecord> {
    return storedRecord(this.consul.address);
  }

  graceful(): Recovery {
    return new Recovery("graceful-master-takeover", Date.now(), [3311, 3312]);
  }

  dead(from: number, to: number, beganAt = Date.now()): Recovery {
    return new Recovery("dead-master", beganAt, [from, to]);
  }

  /** The hook that names the new master. */
  open(recovery: Recovery, variables: Record<string, string> = {}, on = this.host): Promise<Ended> {
    return on.hook("PostMasterFailover", { ...recovery.environment("PostMasterFailover"), ...variables });
  }

  /** Variables of a run that finds nobody where Consul should be, and soon gives up. */
  async nobody(): Promise<Record<string, string>> {
    return { CONSUL_HTTP_ADDR: `127.0.0.1:${String(await freePort())}`, PRIMACY_DEADLINE: "0.4" };
  }

  /** Another machine with the same Consul. */
  anotherHost(): WriterHost {
    return new WriterHost(this.program, this.consul.address);
  }

  /**
   * Says what is wrong with the history, or nothing: every generation up to `last` must be there, linked to the one
   * before, and the last one must be what stands.
   */
  async brokenHistory(last: number): Promise<string | undefined> {
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    let before: string | null = null;
    for (let generation = 1; generation <= last; generation++) {
      const key = `primacy/history/main/${String(generation).padStart(12, "0")}`;
      const link = readRecord((await getRaw(this.consul.address, key))?.text);
      if (link.kind !== "valid") return `${key} is ${link.kind}`;
      if (link.value.generation !== generation) return `${key} is generation ${link.value.generation}`;
      if (link.value.previousHash !== (before === null ? null : recordHash(before, sha256)))
        return `${key} is not linked`;
      before = link.text;
    }
    const stands = await getRaw(this.consul.address, "primacy/clusters/main/master");
    return stands?.text === before ? undefined : `generation ${last} is not what stands: ${stands?.text}`;
  }
}

/** Registers what goes before and after the tests of the suite in which it is called. */
export function useWriterBench(startConsul: () => Promise<RunningConsul>): WriterBench {
  const bench = new WriterBench();
  let bundle: Awaited<ReturnType<typeof bundleWriter>> | undefined;
  beforeAll(async () => {
    [bench.consul, bundle] = await Promise.all([startConsul(), bundleWriter()]);
    bench.program = bundle.program;
  });
  afterAll(async () => {
    bundle?.remove();
    await bench.consul?.close();
  });
  beforeEach(async () => {
    await deleteRaw(bench.consul.address, "primacy/?recurse");
    bench.host = bench.anotherHost();
    expect(await bench.bootstrap()).toMatchObject({ code: 0 });
  });
  afterEach(() => bench.host.remove());
  return bench;
}
