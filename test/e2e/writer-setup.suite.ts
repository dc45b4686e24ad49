import { readFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { freePort } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import { deleteRaw, getRaw } from "../conformance/consul-store.support.js";
import type { WriterBench } from "./writer.bench.js";
import { LAYOUT, repositoryFile } from "./writer.support.js";

/** A cluster's beginning, and what operators do. */
export function setupSuite(bench: WriterBench): void {
  describe("setting a cluster up", () => {
    it("writes the first record and the layout after showing them, once", async () => {
      expect(await bench.record()).toMatchObject({ generation: 1, phase: "open", master: { port: 3311 } });
      const layout = await bench.host.run(["layout", "show", "main"]);
      expect(layout).toMatchObject({ code: 0, err: "" });
      expect(layout.out).toContain("drainSeconds: 2");
      expect(await bench.bootstrap()).toMatchObject({ code: 0 });
      expect((await bench.record()).generation).toBe(1);
      const other = await bench.host.run(["bootstrap", "main", "--master", "127.0.0.1:3312", "--yes"]);
      expect(other).toMatchObject({ code: 14 });
    });

    it("shows and asks; nobody there to answer is a no", async () => {
      await deleteRaw(bench.consul.address, "primacy/?recurse");
      const args = ["bootstrap", "main", "--master", "127.0.0.1:3311", "--layout", "main.yaml"];
      const declined = await bench.host.run(args);
      expect(declined).toMatchObject({ code: 20 });
      expect(declined.out).toContain("+ main: generation 1, open, master 127.0.0.1:3311");
      expect(declined.out).toContain("+   writer: 10");
      expect(await getRaw(bench.consul.address, "primacy/clusters/main/layout")).toBeUndefined();
    });

    it("needs a layout, and a master that is in it", async () => {
      await deleteRaw(bench.consul.address, "primacy/?recurse");
      expect((await bench.host.run(["bootstrap", "main", "--master", "127.0.0.1:3311", "--yes"])).code).toBe(
        12,
      );
      const stranger = ["bootstrap", "main", "--master", "127.0.0.1:9999", "--layout", "main.yaml", "--yes"];
      expect((await bench.host.run(stranger)).code).toBe(14);
    });

    it("takes a server by another of its names", async () => {
      await deleteRaw(bench.consul.address, "primacy/?recurse");
      const args = ["bootstrap", "main", "--master", "DB1.internal:3306", "--layout", "main.yaml", "--yes"];
      expect((await bench.host.run(args)).code).toBe(0);
      expect((await bench.record()).master).toEqual({ host: "127.0.0.1", port: 3311 });
    });

    it("asks Orchestrator, and believes only what it is sure of", async () => {
      await deleteRaw(bench.consul.address, "primacy/?recurse");
      const orchestrator = await recordedOrchestrator("after-dead-master");
      const args = (address: string) => [
        "bootstrap",
        "main",
        "--orchestrator",
        address,
        "--layout",
        "main.yaml",
        "--yes",
      ];
      const unsure = await bench.host.run(args(`http://127.0.0.1:${String(await freePort())}`));
      expect(unsure.code).toBe(21);
      expect(await bench.host.run(args(orchestrator.address))).toMatchObject({ code: 0 });
      expect((await bench.record()).master.port).toBe(3312);
      orchestrator.server.close();
    });

    it("changes the layout, says what changes, and never drops the present master", async () => {
      const wider = bench.host.file("wider.yaml", LAYOUT.replace("3313 }", "3313, candidate: false }"));
      const applied = await bench.host.run(["layout", "apply", wider, "--yes"]);
      expect(applied).toMatchObject({ code: 0 });
      expect(applied.out).toMatch(/^- .*candidate: true$/m);
      expect(applied.out).toMatch(/^\+ .*candidate: false$/m);
      expect(await bench.host.run(["layout", "apply", wider])).toMatchObject({ code: 0 });
      const narrower = bench.host.file("narrower.yaml", LAYOUT.replace(/^.*3311.*$/m, ""));
      const refused = await bench.host.run(["layout", "apply", narrower, "--yes"]);
      expect(refused).toMatchObject({ code: 14 });
      expect(refused.err).toContain("127.0.0.1:3311 is the master");
      expect(
        (
          await bench.host.run([
            "layout",
            "apply",
            bench.host.file("bad.yaml", "cluster: main\nservers: []"),
            "--yes",
          ])
        ).code,
      ).toBe(10);
    });

    it("shows every cluster, and the very text that lies in Consul", async () => {
      expect((await bench.host.run(["show"])).out).toMatch(
        /^main {2}generation 1 {2}open {2}127.0.0.1:3311$/m,
      );
      const raw = await getRaw(bench.consul.address, "primacy/clusters/main/master");
      expect((await bench.host.run(["show", "main", "--json"])).out).toBe(`${raw?.text ?? ""}\n`);
      expect(JSON.parse((await bench.host.run(["show", "--json"])).out)).toMatchObject([
        { cluster: "main", record: { generation: 1 }, problem: null },
      ]);
      expect((await bench.host.run(["show", "nobody"])).code).toBe(12);
    });
  });

  describe("an operator", () => {
    it("names the master, having seen the generation", async () => {
      const set = (generation: number, master = "127.0.0.1:3313") =>
        bench.host.run(["set", "main", "--master", master, "--generation", String(generation), "--yes"]);
      const mistyped = await set(1, "127.0.0.1:3333");
      expect(mistyped).toMatchObject({ code: 10 });
      expect(mistyped.err).toContain("127.0.0.1:3333 is not in the layout of main");
      expect((await bench.record()).generation).toBe(1);
      expect(await set(1)).toMatchObject({ code: 0 });
      expect(await bench.record()).toMatchObject({
        generation: 2,
        master: { port: 3313 },
        cause: { kind: "operator" },
      });
      expect(await set(1)).toMatchObject({ code: 13 });
      expect((await bench.host.run(["set", "main", "--master", "127.0.0.1:3313", "--yes"])).code).toBe(10);
      const asked = await bench.host.run(["set", "main", "--master", "127.0.0.1:3312"]);
      expect(asked).toMatchObject({ code: 20 });
      expect(asked.out).toMatch(/^generation +2$/m);
    });

    it("lets a former master out of quarantine", async () => {
      await bench.open(bench.dead(3311, 3312));
      expect((await bench.record()).quarantined).toHaveLength(1);
      const args = ["readmit", "main", "--server", "db1.internal:3306", "--generation", "2", "--yes"];
      expect(await bench.host.run(args)).toMatchObject({ code: 0 });
      expect(await bench.record()).toMatchObject({ generation: 3, quarantined: [], master: { port: 3312 } });
    });
  });

  it("the log has one JSON line for each run, and no secret", async () => {
    const log = join(bench.host.folder, "writer.log");
    const secrets = {
      PRIMACY_LOG: log,
      CONSUL_HTTP_TOKEN: "b1gs3cret",
      CONSUL_HTTP_AUTH: "user:b1gs3cret",
    };
    const ends = [
      await bench.open(bench.dead(3311, 3312), secrets),
      await bench.open(bench.dead(3313, 3311), secrets),
      await bench.open(bench.dead(3312, 3311), { ...secrets, ...(await bench.nobody()) }),
      await bench.host.hook("PreFailover", {
        ...bench.dead(3313, 3311).environment("PreFailover"),
        ...secrets,
      }),
    ];
    const text = readFileSync(log, "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      {
        level: "info",
        hook: "PostMasterFailover",
        cluster: "main",
        generation: 2,
        rule: "open-new-master",
        outcome: "ok",
        code: 0,
      },
      { level: "error", rule: "open-refused-contradictory", outcome: "refused-contradictory", code: 14 },
      { level: "error", cluster: "main", outcome: "spooled", code: 15 },
      { level: "error", hook: "PreFailover", outcome: "refused-contradictory", code: 0 },
    ]);
    expect(`${text}${ends.map((one) => one.out + one.err).join("")}`).not.toContain("b1gs3cret");
  });

  it("every command says how it is used", async () => {
    for (const command of ["hook", "flush", "bootstrap", "layout", "set", "readmit", "show"]) {
      const help = await bench.host.run([command, "--help"]);
      expect(help).toMatchObject({ code: 0, err: "" });
      expect(help.out).toContain(`primacy-writer ${command}`);
    }
    expect((await bench.host.run(["--version"])).out).toMatch(/^primacy-writer \d+\.\d+\.\d+\n$/);
  });
}

/** Orchestrator's recorded answers. */
async function recordedOrchestrator(scenario: string): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/api/", "").replaceAll("/", "_");
    response.end(readFileSync(repositoryFile(`test/fixtures/orchestrator-api/${scenario}/${path}.json`)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
}
