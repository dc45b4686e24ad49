import { parseArgs } from "node:util";
import { MUTATIONS, type Mutation } from "../mutations.js";

/** What `npm run simulate` was asked for. */
export type Command =
  | { readonly kind: "help" | "list-mutations" }
  | {
      readonly kind: "one";
      readonly seed: number;
      readonly steps: boolean;
      readonly mutation: Mutation | null;
    }
  | {
      readonly kind: "many";
      readonly from: number;
      /** Infinity: until the time is over. */
      readonly runs: number;
      /** Infinity: until all are run. */
      readonly minutes: number;
      readonly workers: number;
      readonly keepGoing: boolean;
      readonly mutation: Mutation | null;
    }
  | { readonly kind: "usage"; readonly problem: string };

const OPTIONS = {
  seed: { type: "string" },
  steps: { type: "boolean" },
  runs: { type: "string" },
  from: { type: "string" },
  minutes: { type: "string" },
  workers: { type: "string" },
  "keep-going": { type: "boolean" },
  mutation: { type: "string" },
  "list-mutations": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const USUAL_RUNS = 10_000;

/** Seeds are 32 bits wide. */
const MOST = 2 ** 32;

class Usage extends Error {}

/** Reads the command line. `processors` and `fresh` (a seed that nobody has tried) are what is taken where nothing is said. */
export function readOptions(argv: readonly string[], processors: number, fresh: number): Command {
  try {
    return commandOf(argv, processors, fresh);
  } catch (error) {
    return { kind: "usage", problem: error instanceof Error ? error.message : String(error) };
  }
}

function commandOf(argv: readonly string[], processors: number, fresh: number): Command {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS, strict: true });
  if (values.help === true) return { kind: "help" };
  if (values["list-mutations"] === true) return { kind: "list-mutations" };
  const mutation = values.mutation === undefined ? null : mutationNamed(values.mutation);
  if (values.seed !== undefined) {
    for (const other of ["runs", "from", "minutes", "workers", "keep-going"] as const) {
      if (values[other] !== undefined) throw new Usage(`--seed and --${other} do not go together`);
    }
    return { kind: "one", seed: whole("seed", values.seed), steps: values.steps === true, mutation };
  }
  if (values.steps === true) throw new Usage("--steps shows one run: name it with --seed");
  const minutes =
    values.minutes === undefined ? Number.POSITIVE_INFINITY : positive("minutes", values.minutes);
  const usualRuns = values.minutes === undefined ? USUAL_RUNS : Number.POSITIVE_INFINITY;
  return {
    kind: "many",
    from: values.from === undefined ? (values.minutes === undefined ? 1 : fresh) : whole("from", values.from),
    runs: values.runs === undefined ? usualRuns : whole("runs", values.runs),
    minutes,
    workers: values.workers === undefined ? processors : whole("workers", values.workers),
    keepGoing: values["keep-going"] === true,
    mutation,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > MOST) {
    throw new Usage(`--${name} ${text}: a whole number from 1 on is needed`);
  }
  return value;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1e6)) throw new Usage(`--${name} ${text}: a number of minutes is needed`);
  return value;
}

/** By its whole name, or by any part that no other has. */
function mutationNamed(text: string): Mutation {
  const exact = MUTATIONS.find((one) => one.name === text);
  const [first, ...others] =
    exact === undefined ? MUTATIONS.filter((one) => one.name.includes(text)) : [exact];
  if (first === undefined) throw new Usage(`no mutation is called "${text}": see --list-mutations`);
  if (others.length > 0) {
    throw new Usage(`"${text}" could be ${[first, ...others].map((one) => `"${one.name}"`).join(" or ")}`);
  }
  return first;
}
