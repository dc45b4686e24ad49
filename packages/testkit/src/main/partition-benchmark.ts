// Takeovers while something is broken: node dist/partition-benchmark.cjs [rounds]. Takes root, for its network namespace.
import { figuresOf } from "../benchmark/figures.js";
import {
  type Fault,
  aloneWithTheMaster,
  cutOffFromConsul,
  frozen,
  killed,
  leaderKilled,
} from "../partitions/faults.js";
import { COLUMNS, type StoryFigures, figuresOfStory } from "../partitions/figures.js";
import { type Story, type StoryOutcome, tell } from "../partitions/story.js";
import { TwoSites } from "../partitions/two-sites.js";

type Case = Pick<Story, "takeover" | "fault" | "faultDuring"> & { readonly title: string };

const FAULTS: readonly (readonly [string, Fault | undefined, (() => Fault) | undefined])[] = [
  ["nothing broken", undefined, undefined],
  ["a proxy cut off", cutOffFromConsul(), undefined],
  ["a watcher frozen", frozen(0), undefined],
  ["a watcher killed", killed(0), undefined],
  ["Consul's leader killed", undefined, leaderKilled],
];

/** Each is told once a round, so that all see the same moods of the machine. */
function cases(): Case[] {
  const takeovers = ["planned", "dead master"] as const;
  return [
    ...takeovers.flatMap((takeover) =>
      FAULTS.map(([what, fault, during]) => ({
        title: `${takeover}: ${what}`,
        takeover,
        ...(fault === undefined ? {} : { fault }),
        ...(during === undefined ? {} : { faultDuring: during() }),
      })),
    ),
    {
      title: "forced: a site alone with the master",
      takeover: "forced",
      fault: aloneWithTheMaster({ hearsConsul: false }),
    },
  ];
}

async function tellOne(sites: TwoSites, { title, ...story }: Case): Promise<StoryOutcome> {
  if (story.takeover === "forced") await sites.moveTo(sites.farDatabase);
  const outcome = await tell(sites, story);
  const { onTheWrongMaster, lost, duplicates } = outcome.verdict;
  if (onTheWrongMaster.length + lost.length + duplicates.length > 0) {
    throw new Error(`${title}: ${JSON.stringify(outcome.verdict)}`);
  }
  return outcome;
}

function report(told: ReadonlyMap<string, readonly StoryFigures[]>): void {
  const columns = Object.entries(COLUMNS) as [keyof StoryFigures, string][];
  print(["takeover, and what is broken", ...columns.map(([, title]) => title)]);
  for (const [title, figures] of told) {
    const cells = columns.map(([column]) => cell(figures.flatMap((one) => one[column] ?? [])));
    print([`${title} (n=${String(figures.length)})`, ...cells]);
  }
}

/** Seconds: median and longest. */
function cell(values: readonly number[]): string {
  if (values.length === 0) return "-";
  const { p50, max } = figuresOf(values);
  return `${(p50 / 1000).toFixed(2)} / ${(max / 1000).toFixed(2)} s`;
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? "5");
  const told = new Map<string, StoryFigures[]>();
  let writes = 0;
  const sites = await TwoSites.start();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const one of cases()) {
        const outcome = await tellOne(sites, one);
        writes += outcome.verdict.acknowledged;
        told.set(one.title, [...(told.get(one.title) ?? []), figuresOfStory(outcome)]);
        process.stderr.write(`round ${String(round)}: ${one.title}\n`);
      }
    }
  } finally {
    await sites.close();
  }
  process.stdout.write(
    `${String(writes)} acknowledged writes: none on the wrong master, none lost, none twice. Median / longest:\n`,
  );
  report(told);
}

main()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  })
  // A connection into a namespace that is gone would be waited for until TCP gives it up, a quarter of an hour.
  .finally(() => process.exit());
