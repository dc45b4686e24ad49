import { run } from "./run.js";

const options = new Map<string, string>();
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i]!;
  options.set(name, process.argv[i + 1]?.startsWith("--") === false ? process.argv[++i]! : "");
}

const seed = options.get("--seed");
if (seed !== undefined) {
  const steps = options.has("--steps") ? (line: string): void => console.log(line) : null;
  const result = run(Number(seed), undefined, steps);
  const { faults, layout, ...rest } = result.scenario;
  console.log(JSON.stringify(rest));
  const { onConsulLoss, leaseSeconds, openedBy, onFenceFailure, drainSeconds, fenceSeconds } = layout.value;
  console.log(
    JSON.stringify({ onConsulLoss, leaseSeconds, openedBy, onFenceFailure, drainSeconds, fenceSeconds }),
  );
  for (const fault of faults) console.log(JSON.stringify(fault));
  console.log(
    `${result.steps} steps, ${(result.ms / 1000).toFixed(1)} s simulated: ${result.violation?.message ?? "all invariants hold"}`,
  );
} else {
  const from = Number(options.get("--from") ?? 1);
  const count = Number(options.get("--runs") ?? 1000);
  const started = performance.now();
  let steps = 0;
  let ms = 0;
  let failures = 0;
  for (let i = from; i < from + count; i++) {
    const result = run(i);
    steps += result.steps;
    ms += result.ms;
    if (result.violation !== null) {
      failures += 1;
      if (failures <= 20) console.log(`seed ${i}: ${result.violation.message}`);
    }
  }
  const took = (performance.now() - started) / 1000;
  console.log(
    `${count} runs, ${failures} failures, ${(count / took).toFixed(0)} runs/s, ${(steps / count).toFixed(0)} steps and ${(ms / count / 1000).toFixed(1)} s a run`,
  );
}
