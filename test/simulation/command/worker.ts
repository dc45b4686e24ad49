import { MUTATIONS } from "../mutations.js";
import { run } from "../run.js";

/** Seeds for one thread. */
export interface Batch {
  readonly from: number;
  readonly count: number;
  /** Name of the guard that is taken away; null: none. */
  readonly mutation: string | null;
}

export interface Failure {
  readonly seed: number;
  readonly message: string;
}

export interface BatchResult {
  readonly runs: number;
  readonly steps: number;
  /** Simulated milliseconds. */
  readonly ms: number;
  readonly failures: readonly Failure[];
}

/** Runs a batch in this thread. */
export function runBatch({ from, count, mutation }: Batch): BatchResult {
  const rules = MUTATIONS.find((one) => one.name === mutation)?.rules;
  const failures: Failure[] = [];
  let steps = 0;
  let ms = 0;
  for (let seed = from; seed < from + count; seed++) {
    const result = run(seed, rules);
    steps += result.steps;
    ms += result.ms;
    if (result.violation !== null) failures.push({ seed, message: result.violation.message });
  }
  return { runs: count, steps, ms, failures };
}
