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
  // node-cron asks for import.meta.url as it is loaded; CommonJS has none.
  banner: {
    js: '#!/usr/bin/env node\nconst bundleUrl = require("node:url").pathToFileURL(__filename).href;',
  },
  define: { PRIMACY_VERSION: JSON.stringify(version), "import.meta.url": "bundleUrl" },
  logOverride: { "require-resolve-not-external": "silent" },
});
