import { main } from "./main.js";
import { processEnvironment } from "./options.js";
import { processTerminal } from "./terminal.js";
import { realWorld } from "./world.js";

/** Told to end (timeout(1), a service manager): what can't be delivered any more goes to the spool at once. */
const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => ending.abort());

const environment = processEnvironment();
const terminal = processTerminal(environment);
void main({
  argv: process.argv.slice(2),
  environment,
  terminal,
  world: realWorld,
  signal: ending.signal,
}).then(
  // Not by process.exitCode: a connection that nobody closes must not hold Orchestrator's recovery.
  (code) => process.exit(code),
);
