import { chmodSync } from "node:fs";
import { build } from "esbuild";

const outfile = "dist/primacy-writer.cjs";

// One CommonJS file, for the hook must start fast: Node 20 loads it 5 to 15 ms sooner than an ES module. Names are
// kept: a stack trace in Orchestrator's audit should be readable.
await build({
  entryPoints: ["src/cli.ts"],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  minifyWhitespace: true,
  conditions: ["primacy-source"],
  banner: { js: "#!/usr/bin/env node" },
  logLevel: "warning",
});
chmodSync(outfile, 0o755);
