import { availableParallelism } from "node:os";
import { isMainThread, parentPort } from "node:worker_threads";
import { HELP } from "./command/help.js";
import { type Screen, runMany } from "./command/many.js";
import { replay } from "./command/one.js";
import { readOptions } from "./command/options.js";
import { type Batch, runBatch } from "./command/worker.js";
import { MUTATIONS } from "./mutations.js";

/** `npm run simulate`. Bundled to one file, which is its own worker. */
async function main(): Promise<number> {
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  // A night should not try what the nights before have tried.
  const fresh = Math.floor(Date.now() / 1000);
  const command = readOptions(process.argv.slice(2), availableParallelism(), fresh);
  switch (command.kind) {
    case "help":
      say(HELP);
      return 0;
    case "usage":
      process.stderr.write(`${command.problem}\nnpm run simulate -- --help\n`);
      return 2;
    case "list-mutations":
      for (const { name } of MUTATIONS) say(name);
      return 0;
    case "one":
      return replay(command.seed, command.steps, command.mutation, say) ? 0 : 1;
    case "many":
      return (await runMany(command, new URL(import.meta.url), screenOf(say))) ? 0 : 1;
  }
}

/** On a terminal the progress stays on one line; in a file it is a line a minute. */
function screenOf(say: (line: string) => void): Screen {
  const { stderr } = process;
  if (!stderr.isTTY) return { line: say, progress: say, progressEveryMs: 60_000 };
  return {
    line: (text) => {
      stderr.write("\r\u001B[K");
      say(text);
    },
    progress: (text) => {
      stderr.write(`\r\u001B[K${text}`);
    },
    progressEveryMs: 1000,
  };
}

if (isMainThread) {
  process.exitCode = await main();
} else {
  parentPort?.on("message", (batch: Batch) => {
    parentPort?.postMessage(runBatch(batch), []);
  });
}
