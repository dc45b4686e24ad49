// `npm test`: everything that must hold, and as its very last line "N passed, N failed, N skipped".
// Arguments go to vitest: npm test -- --project unit
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BIN, build } from "./build.mjs";
import { installDependencies } from "./dependencies.mjs";
import { countTests } from "./report.mjs";
import { ROOT, runLoud, runNpm, say } from "./run.mjs";
import { installServers } from "./servers.mjs";

const FOLDER = join(ROOT, ".primacy");
const REPORT = join(FOLDER, "tests.json");
const USED = join(FOLDER, "used.log");
const LEFT_OUT = join(FOLDER, "left-out.log");
const UNUSUAL = join(FOLDER, "unusual.log");

const PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range";
/** The servers of the tests listen below it (packages/testkit/src/ports.ts). */
const ABOVE_OURS = 32_000;

const failedSteps = [];

async function step(name, run) {
  say(name);
  const result = await run();
  const ok = result === true || result === 0;
  say(ok ? `${name}: done` : `${name}: FAILED`);
  if (!ok) failedSteps.push(name);
  return ok;
}

async function main() {
  mkdirSync(FOLDER, { recursive: true });
  for (const file of [REPORT, USED, LEFT_OUT, UNUSUAL]) rmSync(file, { force: true });
  if (await step("dependencies", installDependencies)) {
    await step("servers", () => installServers(["mariadb", "consul", "mysql", "iproute2"]));
    await step("build", build);
    await step("lint, format, unused code (npm run check)", () => runNpm(["run", "--silent", "check"]));
    await step("types of the tests (tsc -p test)", () =>
      runLoud(join(BIN, "tsc"), ["-p", "test", "--noEmit"]),
    );
    await step("tests (vitest)", runTests);
  }
  return summary();
}

function runTests() {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  return runLoud(join(BIN, "vitest"), ["run", ...reporters, ...process.argv.slice(2)], {
    timeoutMs: 3_600_000,
  });
}

function summary() {
  const counted = countTests(existsSync(REPORT) ? JSON.parse(readFileSync(REPORT, "utf8")) : undefined);
  // vitest's failure is in its tests' count already, unless it has none (an unhandled error, say).
  const others = failedSteps.filter((name) => !name.startsWith("tests") || counted.failed === 0);
  const failed = counted.failed + others.length;
  print("Real programs used", readLines(USED), "none");
  print("Left out", readLines(LEFT_OUT), "nothing");
  print("Unusual", [...readLines(UNUSUAL), ...portsAtRisk()], "nothing");
  if (failedSteps.length > 0) print("Failed steps", failedSteps, "none");
  process.stdout.write(`\n${counted.passed} passed, ${failed} failed, ${counted.skipped} skipped\n`);
  return failed === 0 ? 0 : 1;
}

/** Where Linux gives ports of ours to outgoing connections, servers may find them taken. */
function portsAtRisk() {
  const first = existsSync(PORT_RANGE) ? Number.parseInt(readFileSync(PORT_RANGE, "utf8"), 10) : ABOVE_OURS;
  return first < ABOVE_OURS
    ? [`outgoing connections have ports from ${first} on here, servers of the tests too`]
    : [];
}

function print(title, lines, nothing) {
  process.stdout.write(`\n${title}:\n`);
  for (const line of lines.length === 0 ? [nothing] : lines) process.stdout.write(`  ${line}\n`);
}

function readLines(path) {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return [...new Set(lines)].filter((line) => line !== "");
}

process.exitCode = await main();
