// `npm ci`, where node_modules is not what package-lock.json asks for.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runNpm, say } from "./run.mjs";

/** @returns {Promise<boolean>} whether the packages are there */
export async function installDependencies() {
  const reason = whyInstall();
  if (reason === undefined) return true;
  say(`npm ci: ${reason}`);
  const code = await runNpm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], { timeoutMs: 900_000 });
  say(
    code === 0
      ? "npm ci: done"
      : `npm ci failed with exit code ${code}: packages come from your npm registry`,
  );
  return code === 0;
}

/** Compares what npm installed last (node_modules/.package-lock.json) with package-lock.json. */
function whyInstall() {
  const file = join(ROOT, "node_modules", ".package-lock.json");
  if (!existsSync(file)) return "node_modules is missing or incomplete";
  const installed = readPackages(file);
  const wanted = readPackages(join(ROOT, "package-lock.json"));
  const different = Object.entries(wanted).find(
    ([path, entry]) =>
      // Optional packages are those of other platforms; npm leaves them out.
      path.startsWith("node_modules/") && !entry.optional && installed[path]?.version !== entry.version,
  );
  return different && `${different[0]} is not the one of package-lock.json`;
}

function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}
