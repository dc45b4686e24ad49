// Bundles every entry in src/main/ into one CommonJS file in dist/, with what it needs beside it.
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { build } from "esbuild";

const MAIN = new URL("src/main/", import.meta.url).pathname;
const DIST = new URL("dist/", import.meta.url).pathname;

const entries = existsSync(MAIN) ? readdirSync(MAIN).filter((name) => name.endsWith(".ts")) : [];

await build({
  entryPoints: entries.map((name) => ({ in: MAIN + name, out: name.replace(/\.ts$/, "") })),
  outdir: DIST,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  sourcemap: true,
  // Other packages are bundled from their sources, so that stack traces lead there.
  conditions: ["primacy-source"],
  logLevel: "warning",
  // Only asked for where there is no __filename, that is outside the bundle.
  logOverride: { "empty-import-meta": "silent" },
});

// sql.js looks for its WebAssembly beside the script that runs.
copyFileSync(createRequire(import.meta.url).resolve("sql.js/dist/sql-wasm.wasm"), `${DIST}sql-wasm.wasm`);
