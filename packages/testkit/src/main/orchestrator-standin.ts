import { readFileSync } from "node:fs";
import { readStandInConfiguration } from "../orchestrator-standin/configuration.js";
import { OrchestratorStandIn } from "../orchestrator-standin/standin.js";

// orchestrator-standin [--config=]<orchestrator.conf.json>

const file = process.argv[2]?.replace(/^--config=/, "");
if (file === undefined) {
  process.stderr.write("usage: orchestrator-standin <orchestrator.conf.json>\n");
  process.exit(64);
}
const json = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
const standIn = new OrchestratorStandIn(readStandInConfiguration(json), {
  log: (line) => process.stdout.write(`${line}\n`),
  die: () => process.kill(process.pid, "SIGKILL"),
});
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    void standIn.stop().then(() => process.exit(0));
  });
}
standIn.start().then(
  () => process.stdout.write(`orchestrator-standin listens on ${String(json["ListenAddress"])}\n`),
  (error: unknown) => {
    process.stderr.write(`orchestrator-standin: ${String(error)}\n`);
    process.exit(1);
  },
);
