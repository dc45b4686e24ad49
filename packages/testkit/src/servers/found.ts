import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { primacyFolder } from "../primacy-folder.js";
import { noteForTheEnd } from "../run-notes.js";

/** The real programs that tests use where they are installed. */
export type ServerName = "mariadb" | "mysql" | "consul" | "proxysql" | "orchestrator" | "iproute2";

/** A program that can be started. */
export interface FoundServer {
  name: ServerName;
  path: string;
  /** As the program itself says. */
  version: string;
}

interface Search {
  /** Environment variable that names the binary. */
  variable: string;
  /** Where else to look: a name to be looked up in PATH, or a path. */
  places: () => string[];
  /** How the program is asked for its version, and where in the answer it stands. */
  ask: string[];
  version: RegExp;
}

const SEARCHES: Record<ServerName, Search> = {
  mariadb: {
    variable: "PRIMACY_MARIADB_BIN",
    places: () => ["mariadbd", "/usr/sbin/mariadbd"],
    ask: ["--version"],
    version: /Ver (\S+)/,
  },
  mysql: {
    variable: "PRIMACY_MYSQL_BIN",
    // Not a mysqld of PATH: where MariaDB is installed, it goes by that name too.
    places: () => [primacyFolder("servers", "mysql", "bin", "mysqld")],
    ask: ["--version"],
    version: /Ver (\S+)/,
  },
  consul: {
    variable: "PRIMACY_CONSUL_BIN",
    places: () => [primacyFolder("servers", "consul-1.8.7", "usr", "bin", "consul"), "consul"],
    ask: ["version"],
    version: /Consul v?(\S+)/,
  },
  proxysql: {
    variable: "PRIMACY_PROXYSQL_BIN",
    places: () => ["proxysql"],
    ask: ["--version"],
    version: /version (\S+?),/,
  },
  orchestrator: {
    variable: "PRIMACY_ORCHESTRATOR_BIN",
    places: () => [],
    ask: ["--version"],
    version: /(\d+\.\d+\S*)/,
  },
  iproute2: {
    variable: "PRIMACY_IP_BIN",
    places: () => ["ip", "/usr/sbin/ip", "/sbin/ip"],
    ask: ["-Version"],
    version: /iproute2-([^\s,]+)/,
  },
};

const known = new Map<ServerName, FoundServer | string>();

/** The program, or one sentence that says why it can't be used. */
export function findServer(name: ServerName): FoundServer | string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const answer = search(name);
  known.set(name, answer);
  return answer;
}

/** The program. @throws when it can't be used. */
export function requireServer(name: ServerName): FoundServer {
  const found = findServer(name);
  if (typeof found === "string") throw new Error(found);
  return found;
}

/**
 * The program for the tests called `tests`, or undefined when it is not there and need not be. Either is written
 * down, and the last lines of a test run say it.
 *
 * @throws when it is not there although PRIMACY_REQUIRE (a list like "mariadb,consul") names it.
 */
export function serverForTests(name: ServerName, tests: string): FoundServer | undefined {
  const found = findServer(name);
  if (typeof found !== "string") {
    noteForTheEnd("used.log", `${name} ${found.version} (${found.path})`);
    return found;
  }
  leaveOut(name, tests, found);
  return undefined;
}

/**
 * Writes down that tests are left out, and why: one sentence.
 *
 * @throws when PRIMACY_REQUIRE names what they need
 */
export function leaveOut(name: ServerName, tests: string, why: string): void {
  if (isRequired(name))
    throw new Error(`${why} PRIMACY_REQUIRE names it, so these tests can't be left out: ${tests}.`);
  noteForTheEnd("left-out.log", `${tests}: ${why}`);
}

/** True when PRIMACY_REQUIRE names the program: then its absence is an error. */
export function isRequired(name: ServerName): boolean {
  const names = (process.env["PRIMACY_REQUIRE"] ?? "").split(",").map((word) => word.trim());
  return names.includes(name);
}

function search(name: ServerName): FoundServer | string {
  const { variable, places, ask, version } = SEARCHES[name];
  const named = process.env[variable];
  const path = (named === undefined || named === "" ? places() : [named])
    .map(inPath)
    .find((file) => file !== undefined);
  if (path === undefined) {
    const where =
      named === undefined || named === ""
        ? `is not installed and ${variable} is not set`
        : `is not at ${named}`;
    return `${name} ${where}.`;
  }
  const answer = spawnSync(path, ask, { encoding: "utf8", timeout: 60_000 });
  if (answer.error || answer.status !== 0)
    return `${name} at ${path} does not start: ${answer.error ?? answer.stderr}.`;
  return { name, path, version: version.exec(answer.stdout + answer.stderr)?.[1] ?? "of unknown version" };
}

function inPath(program: string): string | undefined {
  if (program.includes("/")) return existsSync(program) ? program : undefined;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
