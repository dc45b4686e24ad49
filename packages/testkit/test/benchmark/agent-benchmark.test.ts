import { describe, expect, it } from "vitest";
import { AGENT_PARTS, agentBenchmarkOptions } from "../../src/benchmark/agent-options.js";
import { changedKeys } from "../../src/benchmark/consul-writes.js";
import { seriesOf } from "../../src/benchmark/metrics-text.js";
import { tableLines } from "../../src/benchmark/table.js";

const words = (line: string | undefined): string[] => (line ?? "").trim().split(/\s{2,}/);

describe("the table of a benchmark", () => {
  it("has median, largest and number of the measurements", () => {
    const lines = tableLines([
      { what: "took", unit: "s", values: [3.14159, 1, 21.987] },
      { what: "writes", unit: "", values: [0, 1234] },
    ]);
    expect(lines.map(words)).toEqual([
      ["p50", "max", "n"],
      ["took", "3.14 s", "22.0 s", "3"],
      ["writes", "0", "1234", "2"],
    ]);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it("has no row for what was not measured", () => {
    expect(() => tableLines([{ what: "nothing", unit: "s", values: [] }])).toThrow("no measurement was made");
  });
});

describe("the options of the agent's benchmark", () => {
  it("measure everything by default", () => {
    expect(agentBenchmarkOptions([])).toMatchObject({ parts: [...AGENT_PARTS], clusters: [10, 100, 1000] });
  });

  it("are taken as given", () => {
    const options = agentBenchmarkOptions(["--parts", "pass,takeover", "--clusters", "5", "--rounds", "3"]);
    expect(options).toMatchObject({ parts: ["pass", "takeover"], clusters: [5], rounds: 3 });
    expect(agentBenchmarkOptions(["--help"])).toBeNull();
  });

  it.each([
    [["--rounds", "many"], '--rounds: "many" is no number from 1 to 10000'],
    [["--takeovers", "0"], '--takeovers: "0" is no number from 1 to 10000'],
    [["--clusters", "10,"], '--clusters: "" is no number from 1 to 10000'],
    [["--parts", "passes"], '--parts: "passes" is none of recovery, downtime, pass, takeover'],
    [["10"], "Unexpected argument '10'"],
    [["--round", "10"], "Unknown option '--round'"],
  ])("are refused where they make no sense: %j", (args, message) => {
    expect(() => agentBenchmarkOptions(args)).toThrow(message);
  });
});

describe("what is read from the agent and from Consul", () => {
  it("is every value of a series, and of no other", () => {
    const text = '# TYPE a gauge\na 1\na_total{b="x y"} 2\na_total{b="z"} 3e-5\n';
    expect(seriesOf(text, "a")).toEqual([1]);
    expect(seriesOf(text, "a_total")).toEqual([2, 0.00003]);
  });

  it("counts keys that were written, made or deleted, but not the heartbeat", () => {
    const lock = "primacy/agent/leader";
    const before = new Map([
      [lock, 1],
      ["same", 2],
      ["written", 3],
      ["deleted", 4],
    ]);
    const after = new Map([
      [lock, 9],
      ["same", 2],
      ["written", 5],
      ["made", 6],
    ]);
    expect(changedKeys(before, after)).toBe(3);
  });
});
