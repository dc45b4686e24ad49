// `npm start`: everything that the demo needs, and the demo.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { installDependencies } from "./dependencies.mjs";
import { ROOT, runLoud, say } from "./run.mjs";
import { installServers } from "./servers.mjs";

const DEMO = join(ROOT, "packages", "testkit", "dist", "demo.cjs");

async function main() {
  if (!(await installDependencies())) return 1;
  installServers(["mariadb", "consul"]);
  const built = await build();
  if (built !== 0) {
    say(`the build failed (exit code ${built})`);
    return built;
  }
  if (!existsSync(DEMO)) {
    say(`the build left no ${DEMO}`);
    return 1;
  }
  return runLoud(process.execPath, ["--enable-source-maps", DEMO, ...process.argv.slice(2)], {
    timeoutMs: 2 ** 31 - 1,
  });
}

process.exitCode = await main();
