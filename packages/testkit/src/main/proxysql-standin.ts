import { readFileSync } from "node:fs";
import type { Configuration } from "../proxysql-standin/configuration.js";
import { ProxySqlStandIn } from "../proxysql-standin/standin.js";

// proxysql-standin <data folder> <configuration.json>

const [dataDir, file] = process.argv.slice(2);
if (dataDir === undefined || file === undefined) {
  process.stderr.write("usage: proxysql-standin <data folder> <configuration.json>\n");
  process.exit(64);
}
const configuration = JSON.parse(readFileSync(file, "utf8")) as Configuration;

ProxySqlStandIn.start({
  dataDir,
  configuration,
  log: (line) => process.stderr.write(`${line}\n`),
  // ProxySQL dies of a segmentation fault, and its angel or systemd sees that.
  onEnd: (how) => (how === "crash" ? process.kill(process.pid, "SIGSEGV") : process.exit(0)),
}).then(
  ({ adminPort, port }) => process.stdout.write(`proxysql-standin: admin port ${adminPort}, port ${port}\n`),
  (error: unknown) => {
    process.stderr.write(`proxysql-standin: ${String(error)}\n`);
    process.exit(1);
  },
);
