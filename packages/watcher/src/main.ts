import { main } from "./cli.js";

const GRACE_MS = 2000;

// The only place that reads process.env.
void main(process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => {
    process.stderr.write("primacy-watcher: something still held the process after its work was done\n");
    process.exit(code);
  }, GRACE_MS).unref();
});
