import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseLayout } from "../../packages/contract/src/layout.js";
import { primacyFolder } from "../../packages/testkit/src/primacy-folder.js";
import { readOptions } from "../../packages/watcher/src/options.js";
import { readText } from "./markdown.js";
import { hooksOf } from "./orchestrator-hooks.js";

interface Service {
  image?: string;
  build?: { dockerfile: string; target?: string };
  environment?: Record<string, string>;
  volumes?: string[];
  secrets?: string[];
  depends_on?: Record<string, unknown>;
  network_mode?: string;
  command?: string | string[];
}

interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
}

const docker = fileURLToPath(new URL("../../docker", import.meta.url));
const compose = parse(readText("docker/compose.yml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);

describe("docker/", () => {
  let folder: string;
  let made: string[];

  beforeAll(() => {
    folder = join(mkdtempSync(join(tmpdir(), "primacy-docker-")), "secrets");
    execFileSync("sh", [join(docker, "make-secrets.sh"), folder], { stdio: "ignore" });
    made = readdirSync(folder);
  });

  afterAll(() => {
    rmSync(dirname(folder), { recursive: true, force: true });
  });

  it("makes every secret that the services use, all different, and overwrites none", () => {
    const used = services.flatMap(([, { secrets = [] }]) => secrets);
    expect(Object.keys(compose.secrets).sort()).toEqual([...new Set(used)].sort());
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`./secrets/${name}`);
      expect(made).toContain(name);
    }
    const values = made.filter((name) => /\.(?:token|password)$/.test(name)).map((name) => read(name));
    expect(new Set(values).size).toBe(values.length);
    for (const value of values) expect(value).toMatch(/^[0-9a-f-]{32,36}$/);
    const again = spawnSync("sh", [join(docker, "make-secrets.sh"), folder], { encoding: "utf8" });
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining("there already") });
  });

  it("fills ProxySQL's and Orchestrator's files in", () => {
    expect(read("proxysql.cnf")).not.toMatch(/@[a-z-]+\.password@/);
    expect(read("proxysql.cnf")).toContain(`primacy:${read("proxysql-watcher.password")}"`);
    expect(read("orchestrator-topology.cnf")).toContain(read("mysql-orchestrator.password"));
    expect(JSON.parse(read("consul-acl.json"))).toMatchObject({
      acl: { enabled: true, default_policy: "deny" },
    });
  });

  it("mounts only files that are there, and volumes that are named", () => {
    for (const [name, { volumes = [] }] of services) {
      for (const [from = ""] of volumes.map((volume) => volume.split(":"))) {
        const secret = /^\.\/secrets\/(.*)$/.exec(from)?.[1];
        const there = secret === undefined ? existsSync(join(docker, from)) : made.includes(secret);
        expect(from.startsWith("./") ? there : from in compose.volumes, `${name}: ${from}`).toBe(true);
      }
    }
  });

  it("pins every image, and waits for services that there are", () => {
    for (const [name, { image, build, depends_on = {} }] of services) {
      expect(image === undefined ? build?.dockerfile : image, name).toMatch(
        /:[^:]*\d+\.\d+\.\d+|\.Dockerfile$/,
      );
      for (const other of Object.keys(depends_on)) expect(compose.services).toHaveProperty(other);
    }
  });

  it.each(["writer", "watcher"])(
    "ends %s's image with its bundle, another user than root and a health check",
    (name) => {
      const file = readText(`docker/${name}.Dockerfile`);
      const stages = file.split(/^FROM /m).slice(1);
      const last = stages.at(-1) ?? "";
      expect(last.match(/^(?:COPY|ADD) .*$/gm)).toEqual([
        expect.stringMatching(/^COPY --from=build \/build\/\S*primacy\S* /),
      ]);
      expect(last).toMatch(/^USER node$/m);
      expect(last).toMatch(/^HEALTHCHECK /m);
      for (const [, image = ""] of file.matchAll(/^ARG \w+=(\S+)$/gm)) {
        expect(image).toMatch(/:[^:]*\d+\.\d+\.\d+/);
      }
      for (const [, source = ""] of file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
        for (const path of source.split(" ")) expect(existsSync(join(docker, "..", path)), path).toBe(true);
      }
    },
  );

  it("runs Orchestrator's hooks by an absolute path, in lists that there are", () => {
    const hooks = hooksOf(readText("docker/orchestrator/orchestrator.conf.json"));
    expect(hooks.map(({ list }) => list)).toContain("PostMasterFailoverProcesses");
    for (const { command, list, hook } of hooks) {
      expect(command).toBe(`/usr/local/bin/primacy-writer hook ${hook}`);
      expect(list).toBe(`${hook}Processes`);
    }
    const image = readText("docker/writer.Dockerfile").split(/^FROM /m);
    const orchestrator = image.find((stage) => /AS orchestrator$/m.test(stage));
    expect(orchestrator).toContain("/usr/local/bin/primacy-writer");
    expect(orchestrator).toContain("/usr/local/bin/node");
  });

  it("gives the watcher settings that it takes, beside its ProxySQL", () => {
    const { environment = {}, network_mode } = compose.services["watcher1"] ?? {};
    expect(network_mode).toBe("service:proxysql1");
    const password = join(folder, "proxysql-watcher.password");
    const options = readOptions({}, { ...environment, PRIMACY_PROXYSQL_PASSWORD_FILE: password });
    expect(options).toMatchObject({
      proxy: "proxysql1",
      clusters: ["main"],
      http: { host: "0.0.0.0", port: 6090 },
      consul: { addresses: ["http://consul1:8500"], tokenFile: "/run/secrets/consul-watcher.token" },
    });
  });

  it("speaks of one cluster, proxy and agent in the layout, the policies and the services", () => {
    const layout = parseLayout(parse(readText("docker/layout.yaml")));
    expect(layout).toMatchObject({ ok: true, value: { cluster: "main" } });
    if (layout.ok) {
      expect(Object.keys(compose.services)).toEqual(
        expect.arrayContaining(layout.value.servers.map(({ host }) => host)),
      );
    }
    const watcher = readText("docker/consul/policies/watcher.hcl");
    expect(watcher).toContain('key "primacy/acks/main/proxysql1"');
    expect(watcher).toContain('session "consul1"');
    expect(compose.services["consul1"]?.command).toContain("-node=consul1");
  });

  it("is taken by `docker compose config`, where the client is here", () => {
    if (spawnSync("docker", ["compose", "version"], { stdio: "ignore" }).status !== 0) {
      mkdirSync(primacyFolder(), { recursive: true });
      const line = "docker compose config: there is no `docker compose` here; compose.yml was only read.\n";
      appendFileSync(primacyFolder("left-out.log"), line);
      return;
    }
    const file = join(docker, "compose.yml");
    const { status, stderr } = spawnSync("docker", ["compose", "-f", file, "config", "--quiet"], {
      encoding: "utf8",
      timeout: 50_000,
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  function read(name: string): string {
    return readFileSync(join(folder, name), "utf8").trim();
  }
});
