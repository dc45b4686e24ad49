import { REAL_RULES, type Rules } from "./rules.js";
import { type Scenario, scenarioOf } from "./scenario.js";
import { World } from "./world.js";
import { Engine, Violation } from "./world/engine.js";

/** How a run ended. */
export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly steps: number;
  /** Simulated milliseconds. */
  readonly ms: number;
  readonly scenario: Scenario;
  /** What occurred in it, and how often. */
  readonly seen: ReadonlyMap<string, number>;
}

/** Runs one seed. Everything that happens in it follows from the seed and the rules. */
export function run(
  seed: number,
  rules: Rules = REAL_RULES,
  trace: ((line: string) => void) | null = null,
): RunResult {
  const scenario = scenarioOf(seed);
  const engine = new Engine(seed, trace);
  let violation: Violation | null = null;
  try {
    new World(engine, scenario, rules).go();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  return { seed, violation, steps: engine.steps, ms: engine.now, scenario, seen: engine.seen.counts };
}
