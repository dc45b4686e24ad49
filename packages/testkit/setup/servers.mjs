// The real servers that tests and the demo use, from Debian's own packages, where they are missing.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { sourcesForSuite } from "./apt-sources.mjs";
import { ROOT, runQuiet, say } from "./run.mjs";

const MARIADB = "10.11";
const CONSUL = "1.8.7";
/** The last Debian that had Consul. */
const CONSUL_SUITE = "bullseye";
const CONSUL_FOLDER = join(ROOT, ".primacy", "servers", `consul-${CONSUL}`);

const UPDATE_LIMIT_MS = 180_000;
const INSTALL_LIMIT_MS = 300_000;
const UPDATE_TRIES = 3;
const RETRY_PAUSE_MS = 1_000;
const LOCK_PAUSE_MS = 10_000;

/** Another apt may be at work, and its _apt user can't write into folders of ours. */
const APT = [
  "-q",
  "-o",
  "DPkg::Lock::Timeout=120",
  "-o",
  "APT::Sandbox::User=root",
  "-o",
  "Acquire::Retries=2",
];

class CannotInstall extends Error {}

/**
 * Installs what is missing and can be installed. Never throws for a server that can't be had.
 *
 * @returns {boolean} false when a server that PRIMACY_REQUIRE names is missing
 */
export function installServers() {
  const required = (process.env["PRIMACY_REQUIRE"] ?? "").split(",").map((name) => name.trim());
  const missing = [tryInstall("mariadb", installMariaDb), tryInstall("consul", installConsul)].filter(
    Boolean,
  );
  return !missing.some((name) => required.includes(name));
}

function tryInstall(name, install) {
  try {
    install();
    return undefined;
  } catch (error) {
    if (!(error instanceof CannotInstall)) throw error;
    say(`${name} is not here: ${error.message}`);
    return name;
  }
}

function installMariaDb() {
  if (process.env["PRIMACY_MARIADB_BIN"] || inPath("mariadbd") || existsSync("/usr/sbin/mariadbd")) return;
  const codename = mayInstall();
  if (process.getuid?.() !== 0) throw new CannotInstall("installing it takes root");
  say(`MariaDB ${MARIADB}: installing from Debian ${codename}`);
  update(APT, "apt-get update");
  // The core packages have the programs and no service, so nothing is started and nothing will start at boot.
  const packages = ["mariadb-server-core", "mariadb-client-core"].map((name) => `${name}=1:${MARIADB}.*`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  const install = [...APT, "install", "-y", "--no-install-recommends", ...packages];
  must(runQuiet("apt-get", install, { env: environment, timeoutMs: INSTALL_LIMIT_MS }));
  say(`MariaDB ${MARIADB}: installed`);
}

function installConsul() {
  if (process.env["PRIMACY_CONSUL_BIN"] || existsSync(join(CONSUL_FOLDER, "usr", "bin", "consul"))) return;
  if (inPath("consul")) return;
  const codename = mayInstall();
  say(`Consul ${CONSUL}: fetching from Debian ${CONSUL_SUITE}`);
  mkdirSync(join(ROOT, ".primacy", "servers"), { recursive: true });
  const work = mkdtempSync(join(ROOT, ".primacy", "apt-"));
  try {
    const apt = privateApt(work, codename);
    update(apt, `apt-get update for ${CONSUL_SUITE}`);
    must(
      runQuiet("apt-get", [...apt, "download", `consul=${CONSUL}*`], {
        cwd: work,
        timeoutMs: INSTALL_LIMIT_MS,
      }),
    );
    unpackConsul(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`Consul ${CONSUL}: in ${CONSUL_FOLDER}`);
}

/** An apt with lists, cache and sources of its own: the machine's are neither used nor changed. */
function privateApt(work, codename) {
  const sources = sourcesForSuite(machineSources(), codename, CONSUL_SUITE);
  if (sources.length === 0) throw new CannotInstall(`no apt source in /etc/apt has the suite ${codename}`);
  for (const folder of ["sources", "state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  for (const { name, text } of sources) writeFileSync(join(work, "sources", name), text);
  const directories = {
    "Dir::Etc::SourceList": "/dev/null",
    "Dir::Etc::SourceParts": join(work, "sources"),
    "Dir::State": join(work, "state"),
    "Dir::Cache": join(work, "cache"),
  };
  return [...APT, ...Object.entries(directories).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}

function machineSources() {
  const parts = "/etc/apt/sources.list.d";
  const files = existsSync(parts) ? readdirSync(parts).filter((name) => /\.(list|sources)$/.test(name)) : [];
  return ["/etc/apt/sources.list", ...files.map((name) => join(parts, name))]
    .filter((path) => existsSync(path))
    .map((path) => ({ name: path.slice(path.lastIndexOf("/") + 1), text: readFileSync(path, "utf8") }));
}

function unpackConsul(work) {
  const archive = readdirSync(work).find((name) => name.startsWith("consul_") && name.endsWith(".deb"));
  if (archive === undefined) throw new CannotInstall("apt-get download left no package");
  const tree = join(work, "tree");
  must(runQuiet("dpkg-deb", ["-x", join(work, archive), tree], { timeoutMs: 60_000 }));
  must(runQuiet(join(tree, "usr", "bin", "consul"), ["version"], { timeoutMs: 20_000 }));
  // The folder appears whole or not at all, also when two runs do this at once.
  if (!existsSync(CONSUL_FOLDER)) renameSync(tree, CONSUL_FOLDER);
}

let unreachable = false;

function update(apt, title) {
  // Where the first server's packages could not be reached, one try tells whether the next one's can.
  const tries = unreachable ? 1 : UPDATE_TRIES;
  let last = "";
  for (let count = 1; count <= tries; count++) {
    const options = [...apt, "-o", "APT::Update::Error-Mode=any", "update"];
    const result = runQuiet("apt-get", options, { timeoutMs: UPDATE_LIMIT_MS });
    if (result.ok) return;
    last = result.why;
    say(`${title}: attempt ${count} of ${tries} failed`);
    // apt waits for dpkg's lock but not for the one on its lists.
    if (count < tries) sleep(/Could not get lock/.test(last) ? LOCK_PAUSE_MS : RETRY_PAUSE_MS);
  }
  unreachable = true;
  throw new CannotInstall(last);
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** @returns {string} the machine's Debian codename */
function mayInstall() {
  if (process.env["PRIMACY_NO_INSTALL"] === "1") throw new CannotInstall("PRIMACY_NO_INSTALL is set");
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const value = (name) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(release)?.[1];
  const codename = value("VERSION_CODENAME");
  if (value("ID") !== "debian" || !codename || !inPath("apt-get")) {
    throw new CannotInstall("it is installed by itself on Debian only");
  }
  return codename;
}

function must(result) {
  if (!result.ok) throw new CannotInstall(result.why);
}

function inPath(program) {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => folder && existsSync(join(folder, program)));
}
