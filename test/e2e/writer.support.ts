import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type MasterRecord, readRecord } from "@primacy/contract";
import { RunningProcess } from "@primacy/testkit";
import { getRaw } from "../conformance/consul-store.support.js";

export function repositoryFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** How a run of the writer ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

type Variables = Record<string, string>;

/** A run that takes longer than this hangs; every run here has a deadline of its own far below. Milliseconds. */
const HANGS_AFTER_MS = 120_000;

/** Where no test says otherwise: a machine that stands still for the usual 8 s must not decide what a run comes to. */
const DEADLINE_SECONDS = "30";

/** Bundles the writer from its sources. @returns the program's file, in a folder that the caller removes */
export async function bundleWriter(): Promise<{ program: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "primacy-writer-program-"));
  const program = join(folder, "primacy-writer.cjs");
  const script = repositoryFile("packages/writer/bundle.mjs");
  await promisify(execFile)(process.execPath, [script, program]);
  return { program, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A machine on which Orchestrator runs: its spool, its log, and the Consul that it knows. */
export class WriterHost {
  readonly folder = mkdtempSync(join(tmpdir(), "primacy-writer-host-"));
  readonly #program: string;
  /** Variables of every run. */
  readonly variables: Variables;

  constructor(program: string, consul: string, variables: Variables = {}) {
    this.#program = program;
    this.variables = {
      PATH: process.env["PATH"] ?? "",
      CONSUL_HTTP_ADDR: consul,
      PRIMACY_SPOOL: join(this.folder, "spool"),
      PRIMACY_DEADLINE: DEADLINE_SECONDS,
      ...variables,
    };
  }

  start(args: readonly string[], variables: Variables = {}): RunningProcess {
    return new RunningProcess({
      name: `primacy-writer ${args[0] ?? ""}`,
      command: process.execPath,
      args: [this.#program, ...args],
      env: { ...this.variables, ...variables },
      cwd: this.folder,
    });
  }

  async run(args: readonly string[], variables: Variables = {}): Promise<Ended> {
    return ended(this.start(args, variables));
  }

  hook(name: string, environment: Variables, args: readonly string[] = []): Promise<Ended> {
    return this.run(["hook", name, ...args], environment);
  }

  /** A file of this machine. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** What lies in the spool, or in one of its folders. */
  spooled(folder = ""): string[] {
    const path = join(this.variables["PRIMACY_SPOOL"] ?? "", folder);
    return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".json")) : [];
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits for the end of a run. @throws when it hangs */
export async function ended(run: RunningProcess): Promise<Ended> {
  const timer = setTimeout(() => run.signal("SIGKILL"), HANGS_AFTER_MS);
  const exit = await run.exited;
  clearTimeout(timer);
  if (exit.signal === "SIGKILL") throw new Error(`${run.name} hung:\n${run.lastOutput()}`);
  return { code: exit.code, out: run.stdout, err: run.stderr };
}

export const LAYOUT = `
cluster: main
hostgroups: { writer: 10, reader: 11 }
servers:
  - { host: 127.0.0.1, port: 3311, alsoKnownAs: ["db1.internal:3306"] }
  - { host: 127.0.0.1, port: 3312 }
  - { host: 127.0.0.1, port: 3313 }
`;

/** One recovery: the recorded hooks with another id and other servers. */
export class Recovery {
  readonly #uid: string;
  readonly #scenario: "dead-master" | "graceful-master-takeover";
  readonly #from: number;
  readonly #to: number;

  /**
   * @param beganAt milliseconds since 1970
   * @param ports of the outgoing and the new master
   */
  constructor(
    scenario: "dead-master" | "graceful-master-takeover",
    beganAt: number,
    ports: readonly [from: number, to: number],
  ) {
    this.#scenario = scenario;
    this.#uid = `${String(BigInt(Math.floor(beganAt)) * 1_000_000n)}:be7a274565848153`;
    [this.#from, this.#to] = ports;
  }

  /** The environment with which Orchestrator calls one of its hooks. */
  environment(hook: string): Variables {
    const call = this.#calls().find((one) => one.hook === `${hook}Processes`);
    if (call === undefined) throw new Error(`${this.#scenario} has no ${hook}`);
    return this.#retold(call.env);
  }

  /** All hooks, in the order of the recording. */
  hooks(): { name: string; environment: Variables }[] {
    return this.#calls().map((call) => ({ name: call.hook, environment: this.#retold(call.env) }));
  }

  #calls(): { hook: string; env: Variables }[] {
    const path = repositoryFile(`test/fixtures/orchestrator-hooks/${this.#scenario}.json`);
    return (JSON.parse(readFileSync(path, "utf8")) as { calls: { hook: string; env: Variables }[] }).calls;
  }

  #retold(env: Variables): Variables {
    return {
      ...env,
      ORC_RECOVERY_UID: env["ORC_RECOVERY_UID"] === "" ? "" : this.#uid,
      ORC_FAILED_PORT: String(this.#from),
      ...(env["ORC_SUCCESSOR_PORT"] === undefined ? {} : { ORC_SUCCESSOR_PORT: String(this.#to) }),
    };
  }
}

/** The record as it lies in Consul. */
export async function storedRecord(address: string, cluster = "main"): Promise<MasterRecord> {
  const raw = await getRaw(address, `primacy/clusters/${cluster}/master`);
  const document = readRecord(raw?.text);
  if (document.kind !== "valid") throw new Error(`the record is ${document.kind}: ${raw?.text ?? ""}`);
  return document.value;
}

/** Runs a hook where no file may have a byte: the same call fails as on a full disk, with another error. */
export async function runWithoutRoomForAByte(
  program: string,
  environment: Variables,
): Promise<{ code: number | null; text: string }> {
  const script = `trap '' XFSZ; ulimit -f 0; exec "$0" "$1" hook PostMasterFailover`;
  const run = new RunningProcess({
    name: "primacy-writer without room",
    command: "bash",
    args: ["-c", script, process.execPath, program],
    env: environment,
  });
  const { code, out, err } = await ended(run);
  return { code, text: out + err };
}
