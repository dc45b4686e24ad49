// Debian's packages through apt, bounded in time, and without touching the machine where only files are wanted.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { sourcesForSuite } from "./apt-sources.mjs";
import { ROOT, runQuiet, say } from "./run.mjs";

const UPDATE_LIMIT_MS = 180_000;
const INSTALL_LIMIT_MS = 300_000;
const UNPACK_LIMIT_MS = 120_000;
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

/** Why a server can't be had: for people. */
export class CannotInstall extends Error {}

/** Installs packages for the whole machine: `name=version`. Takes root. */
export function installPackages(packages) {
  update(APT, "apt-get update");
  const install = [...APT, "install", "-y", "--no-install-recommends", ...packages];
  must(
    runQuiet("apt-get", install, {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      timeoutMs: INSTALL_LIMIT_MS,
    }),
  );
}

/**
 * Fetches packages of another suite into a folder of their own, with nothing installed.
 *
 * @param {{ suite: string, codename: string, packages: string[], closure: boolean }} wanted `closure`: with everything
 *   that they depend on, down to the C library, so that they run beside the machine's own
 * @param {(archives: string[], work: string) => void} use called with the paths of the .deb files, and a folder that is
 *   removed afterwards
 */
export function fetchPackages({ suite, codename, packages, closure }, use) {
  mkdirSync(join(ROOT, ".primacy"), { recursive: true });
  const work = mkdtempSync(join(ROOT, ".primacy", "apt-"));
  try {
    const apt = privateApt(work, suite, codename);
    update(apt, `apt-get update for ${suite}`);
    // To a dpkg that has nothing installed, every dependency is missing.
    const status = ["-o", `Dir::State::status=${join(work, "nothing-installed")}`];
    const fetch = closure
      ? [...status, "-y", "--no-install-recommends", "--download-only", "install", ...packages]
      : ["download", ...packages];
    must(runQuiet("apt-get", [...apt, ...fetch], { cwd: work, timeoutMs: INSTALL_LIMIT_MS }));
    const folder = closure ? join(work, "cache", "archives") : work;
    const archives = readdirSync(folder).filter((name) => name.endsWith(".deb"));
    if (archives.length === 0) throw new CannotInstall("apt-get left no package");
    use(
      archives.map((name) => join(folder, name)),
      work,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Unpacks archives into `folder`, one over the other. Nothing of them is run. */
export function unpack(archives, folder) {
  for (const archive of archives) {
    must(runQuiet("dpkg-deb", ["-x", archive, folder], { timeoutMs: UNPACK_LIMIT_MS }));
  }
}

/** An apt with lists, cache and sources of its own: the machine's are neither used nor changed. */
function privateApt(work, suite, codename) {
  const sources = sourcesForSuite(machineSources(), codename, suite);
  if (sources.length === 0) throw new CannotInstall(`no apt source in /etc/apt has the suite ${codename}`);
  for (const folder of ["sources", "state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  for (const { name, text } of sources) writeFileSync(join(work, "sources", name), text);
  writeFileSync(join(work, "nothing-installed"), "");
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
export function mayInstall() {
  if (process.env["PRIMACY_NO_INSTALL"] === "1") throw new CannotInstall("PRIMACY_NO_INSTALL is set");
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const value = (name) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(release)?.[1];
  const codename = value("VERSION_CODENAME");
  if (value("ID") !== "debian" || !codename || !inPath("apt-get")) {
    throw new CannotInstall("it is installed by itself on Debian only");
  }
  return codename;
}

export function must(result) {
  if (!result.ok) throw new CannotInstall(result.why);
}

export function inPath(program) {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => folder && existsSync(join(folder, program)));
}
