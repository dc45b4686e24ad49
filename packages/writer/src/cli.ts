import { main } from "./main.js";
import { processEnvironment } from "./options.js";
import { processTerminal } from "./terminal.js";
import { realWorld } from "./world.js";

/** Told to end (timeout(1), a service manager): what can't be delivered any more goes to the spool at once. */
const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => ending.abort());

/**
 * A name server that is away must not hold a failover. A process ends only once its lookups have (Node 20 waits for its
 * threads), and by default glibc asks three silent servers for half a minute (resolv.conf(5)): a run with a deadline of
 * 4 s took 58, and takes 8 so. The writer asks again by itself.
 */
process.env["RES_OPTIONS"] ??= "timeout:1 attempts:1";

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
