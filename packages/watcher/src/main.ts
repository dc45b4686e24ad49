const GRACE_MS = 2000;

// The only place that reads process.env.
void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  setTimeout(() => {
    process.stderr.write("primacy-watcher: something still held the process after its work was done\n");
    process.exit(code);
  }, GRACE_MS).unref();
});

/** The guard runs once a second: it must not load what it does not need. */
async function run(argv: readonly string[]): Promise<number> {
  if (argv[0] === "guard" && !argv.includes("--help") && !argv.includes("-h")) {
    const { runGuard } = await import("./guard/guard.js");
    return await runGuard(
      argv.slice(1),
      (text) => process.stderr.write(`${text}\n`),
      () => Date.now(),
    );
  }
  const { main } = await import("./cli.js");
  return await main(argv, process.env);
}
