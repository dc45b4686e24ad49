import { layoutText } from "@primacy/contract";
import { describe, expect, it } from "vitest";
import { commitEvent } from "../src/commit.js";
import { commitEnding } from "../src/ending.js";
import type { Opening, OpeningStep } from "../src/opening.js";
import { BOOTSTRAP, FakeStore, FakeWorld, commitContext, db1, db2, opened, testLayout } from "./fakes.js";

async function bootstrapped(policies: Record<string, unknown> = {}) {
  const [store, world] = [new FakeStore(), new FakeWorld()];
  store.layout = layoutText(testLayout(policies));
  await commitEvent("main", BOOTSTRAP, 5000, commitContext(store, world));
  return { store, world };
}

const proof = { readOnly: true, killed: 2, left: 0, caughtUp: true, tookMs: 9 };

describe("before a record says open", () => {
  it("the servers are seen to, and what was proved there stands in it", async () => {
    const { store, world } = await bootstrapped();
    const asked: Opening[] = [];
    const beforeOpening = (opening: Opening): Promise<OpeningStep> => {
      asked.push(opening);
      return Promise.resolve({ kind: "go", oldMaster: proof, notes: ["seen to"] });
    };
    const context = { ...commitContext(store, world), beforeOpening };
    const outcome = await commitEvent("main", opened(db1, db2, null), 5000, context);
    expect(outcome).toMatchObject({ kind: "applied", notes: ["seen to"] });
    expect(commitEnding("main", outcome).notes).toEqual(["main: seen to"]);
    expect(store.value).toMatchObject({ generation: 2, oldMaster: proof });
    expect(asked).toMatchObject([{ current: { generation: 1 }, next: { generation: 2 } }]);
    // Once it is so, there is nothing to be seen to.
    await commitEvent("main", opened(db1, db2, null), 5000, context);
    expect(asked).toHaveLength(1);
  });

  it("a master that could not be opened is not on record", async () => {
    const { store, world } = await bootstrapped();
    const beforeOpening = (): Promise<OpeningStep> =>
      Promise.resolve({ kind: "not-opened", problem: "db2:3306 says no" });
    const context = { ...commitContext(store, world), beforeOpening };
    expect(await commitEvent("main", opened(db1, db2, null), 5000, context)).toEqual({
      kind: "not-opened",
      problem: "db2:3306 says no",
    });
    expect(store.value.generation).toBe(1);
  });

  it("whoever can't open masters doesn't put one on record where Primacy opens them", async () => {
    const { store, world } = await bootstrapped({ openedBy: "primacy" });
    const outcome = await commitEvent("main", opened(db1, db2, null), 5000, commitContext(store, world));
    expect(outcome.kind).toBe("not-opened");
    expect(store.value.generation).toBe(1);
  });

  it("its time does not count: what it takes is not taken from Consul's", async () => {
    const { store, world } = await bootstrapped();
    let times = 0;
    const beforeOpening = (): Promise<OpeningStep> => {
      world.pass(60_000);
      return Promise.resolve(++times === 1 ? { kind: "again" } : { kind: "go", notes: [] });
    };
    const context = { ...commitContext(store, world), beforeOpening };
    expect(await commitEvent("main", opened(db1, db2, null), 5000, context)).toMatchObject({
      kind: "applied",
    });
  });

  it("a record that changed meanwhile is decided on again", async () => {
    const { store, world } = await bootstrapped();
    let times = 0;
    const beforeOpening = (): Promise<OpeningStep> =>
      Promise.resolve(++times === 1 ? { kind: "again" } : { kind: "go", notes: [] });
    const context = { ...commitContext(store, world), beforeOpening };
    expect(await commitEvent("main", opened(db1, db2, null), 5000, context)).toMatchObject({
      kind: "applied",
    });
    expect([times, store.reads >= 3]).toEqual([2, true]);
  });
});
