// `turbo run build`: every package, in the order of their dependencies.
import { join } from "node:path";
import { ROOT, runLoud } from "./run.mjs";

/** The folder with the programs that `npm ci` installed. */
export const BIN = join(ROOT, "node_modules", ".bin");

/** @returns {Promise<number>} turbo's exit code */
export function build() {
  return runLoud(join(BIN, "turbo"), ["run", "build", "--output-logs=new-only", "--log-order=grouped"], {
    env: { TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" },
    timeoutMs: 900_000,
  });
}
