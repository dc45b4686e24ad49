// The real servers that tests and the demo use, from Debian's own packages, where they are missing.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { CannotInstall, fetchPackages, inPath, installPackages, mayInstall, must, unpack } from "./apt.mjs";
import { installMySql } from "./mysql.mjs";
import { ROOT, runQuiet, say } from "./run.mjs";

const MARIADB = "10.11";
const CONSUL = "1.8.7";
/** The last Debian that had Consul. */
const CONSUL_SUITE = "bullseye";
const CONSUL_FOLDER = join(ROOT, ".primacy", "servers", `consul-${CONSUL}`);

const INSTALLERS = {
  mariadb: installMariaDb,
  consul: installConsul,
  mysql: installMySql,
  iproute2: installIproute2,
};

/**
 * Installs what is missing and can be installed. Never throws for a server that can't be had.
 *
 * @param {("mariadb" | "consul" | "mysql" | "iproute2")[]} names
 * @returns {boolean} false when a server that PRIMACY_REQUIRE names is missing
 */
export function installServers(names) {
  const required = (process.env["PRIMACY_REQUIRE"] ?? "").split(",").map((name) => name.trim());
  const missing = names.filter((name) => !tryInstall(name));
  return !missing.some((name) => required.includes(name));
}

function tryInstall(name) {
  try {
    INSTALLERS[name]();
    return true;
  } catch (error) {
    if (!(error instanceof CannotInstall)) throw error;
    say(`${name} is not here: ${error.message}`);
    return false;
  }
}

function installMariaDb() {
  if (process.env["PRIMACY_MARIADB_BIN"] || inPath("mariadbd") || existsSync("/usr/sbin/mariadbd")) return;
  const codename = mayInstall();
  if (process.getuid?.() !== 0) throw new CannotInstall("installing it takes root");
  say(`MariaDB ${MARIADB}: installing from Debian ${codename}`);
  // The core packages have the programs and no service, so nothing is started and nothing will start at boot.
  installPackages(["mariadb-server-core", "mariadb-client-core"].map((name) => `${name}=1:${MARIADB}.*`));
  say(`MariaDB ${MARIADB}: installed`);
}

function installConsul() {
  if (process.env["PRIMACY_CONSUL_BIN"] || existsSync(join(CONSUL_FOLDER, "usr", "bin", "consul"))) return;
  if (inPath("consul")) return;
  const codename = mayInstall();
  say(`Consul ${CONSUL}: fetching from Debian ${CONSUL_SUITE}`);
  const wanted = { suite: CONSUL_SUITE, codename, packages: [`consul=${CONSUL}*`], closure: false };
  fetchPackages(wanted, (archives, work) => {
    const tree = join(work, "tree");
    unpack(archives, tree);
    must(runQuiet(join(tree, "usr", "bin", "consul"), ["version"], { timeoutMs: 20_000 }));
    mkdirSync(join(ROOT, ".primacy", "servers"), { recursive: true });
    // The folder appears whole or not at all, also when two runs do this at once.
    if (!existsSync(CONSUL_FOLDER)) renameSync(tree, CONSUL_FOLDER);
  });
  say(`Consul ${CONSUL}: in ${CONSUL_FOLDER}`);
}

/** `ip`, by which the tests make networks of their own. */
function installIproute2() {
  if (process.env["PRIMACY_IP_BIN"] || ["/usr/sbin/ip", "/sbin/ip"].some((path) => existsSync(path))) return;
  if (inPath("ip")) return;
  const codename = mayInstall();
  if (process.getuid?.() !== 0) throw new CannotInstall("installing it takes root");
  say(`iproute2: installing from Debian ${codename}`);
  installPackages(["iproute2"]);
  say("iproute2: installed");
}
