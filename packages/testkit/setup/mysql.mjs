// MySQL, whose server no Debian release has: from the rolling suite, with its own C library beside it.
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CannotInstall, fetchPackages, mayInstall, must, unpack } from "./apt.mjs";
import { ROOT, runQuiet, say } from "./run.mjs";

/** The suite rolls: what it has now, tried with 9.7. */
const SUITE = "unstable";
const FOLDER = join(ROOT, ".primacy", "servers", "mysql");

/** The loader of each architecture, by Node's name of it: its folder of libraries and its file. */
const LOADERS = {
  x64: ["x86_64-linux-gnu", "ld-linux-x86-64.so.2"],
  arm64: ["aarch64-linux-gnu", "ld-linux-aarch64.so.1"],
};

/** Unpacks server and client into a folder of ours, with all that they depend on. Nothing is installed. */
export function installMySql() {
  if (process.env["PRIMACY_MYSQL_BIN"] || existsSync(join(FOLDER, "bin", "mysqld"))) return;
  const codename = mayInstall();
  const loader = LOADERS[process.arch];
  if (loader === undefined) throw new CannotInstall(`nobody has tried it on ${process.arch}`);
  say(`MySQL: fetching from Debian ${SUITE}`);
  const packages = ["mysql-server-core", "mysql-client-core"];
  fetchPackages({ suite: SUITE, codename, packages, closure: true }, (archives, work) => {
    const tree = join(work, "tree");
    // Perl is for the server's helper scripts.
    unpack(
      archives.filter((path) => !/^(lib)?perl/.test(basename(path))),
      tree,
    );
    writePrograms(tree, loader);
    const asked = runQuiet(join(tree, "bin", "mysqld"), ["--version"], { timeoutMs: 20_000 });
    must(asked);
    mkdirSync(join(ROOT, ".primacy", "servers"), { recursive: true });
    if (!existsSync(FOLDER)) renameSync(tree, FOLDER);
    say(`MySQL ${/Ver (\S+)/.exec(asked.stdout)?.[1] ?? "of unknown version"}: in ${FOLDER}`);
  });
}

/**
 * `bin/mysqld` and `bin/mysql`: each starts its program through the loader that came with it, for the machine's C library
 * is older than the one that they were built with. The options are for what else lies elsewhere than at /usr.
 */
function writePrograms(tree, [triplet, loader]) {
  const options = {
    mysqld: [
      '--lc-messages-dir="$root/usr/share/mysql"',
      '--character-sets-dir="$root/usr/share/mysql/charsets"',
      '--plugin-dir="$root/usr/lib/mysql/plugin"',
      "--secure-file-priv=",
    ],
    mysql: ['--character-sets-dir="$root/usr/share/mysql/charsets"'],
  };
  mkdirSync(join(tree, "bin"));
  for (const [name, more] of Object.entries(options)) {
    const program = join("usr", name === "mysqld" ? "sbin" : "bin", name);
    const script = `#!/bin/sh
root=$(cd "$(dirname "$0")/.." && pwd)
libraries=$root/usr/lib/${triplet}
exec "$libraries/${loader}" --library-path "$libraries" "$root/${program}" "$@" ${more.join(" ")}
`;
    writeFileSync(join(tree, "bin", name), script);
    chmodSync(join(tree, "bin", name), 0o755);
  }
}
