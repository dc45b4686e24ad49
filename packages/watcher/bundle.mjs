import { readFileSync } from "node:fs";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

// One CommonJS file: it is all that an image or a host needs beside Node.
await build({
  entryPoints: ["src/main.ts"],
  outfile: "dist/primacy-watcher.cjs",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  conditions: ["primacy-source"],
  banner: { js: "#!/usr/bin/env node" },
  define: { PRIMACY_VERSION: JSON.stringify(version) },
  // Its background tasks run in a process of their own; ours don't use them.
  logOverride: { "empty-import-meta": "silent", "require-resolve-not-external": "silent" },
});
