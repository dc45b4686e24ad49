import { ConsulError, type Roster } from "@primacy/consul-store";
import type { HookEvent } from "@primacy/contract";
import { expect, it } from "vitest";
import { commitEvent } from "../src/commit.js";
import { afterHook } from "../src/phases/after-hook.js";
import { commitEnding } from "../src/ending.js";
import type { Run } from "../src/run.js";
import { deliverSpooled } from "../src/spool/deliver.js";
import { Spool } from "../src/spool/folder.js";
import {
  BOOTSTRAP,
  FakeStore,
  FakeWorld,
  commitContext,
  db1,
  recoveryUid,
  removeFoldersAfterEach,
  temporaryFolder,
} from "./fakes.js";

removeFoldersAfterEach();

const cause = { kind: "dead-master", failureType: "DeadMaster", command: "" } as const;

it("what a stopped failover leaves fenced is given back later, where Consul is away just then", async () => {
  const [store, world, folder] = [new FakeStore(), new FakeWorld(), temporaryFolder()];
  const commit = commitContext(store, world);
  await commitEvent("main", BOOTSTRAP, 8000, commit);
  // One proxy, which follows nothing.
  const silent = { proxy: "proxy1", sessionId: "s", index: 5, document: { kind: "absent" } };
  const roster = () =>
    ({ acknowledgements: [silent], index: 5, sentAtMs: world.elapsed() }) as unknown as Roster;
  const proxies = {
    environment: { monotonicNow: world.elapsed, random: world.random, sleep: world.pause },
    readAcknowledgements: () => Promise.resolve(roster()),
    watchAcknowledgements: async (_cluster: string, _index: number, { waitMs }: { waitMs: number }) => {
      await world.pause(waitMs);
      return roster();
    },
  };
  const settings = { spool: { folder, limit: 10 }, deadlineMs: 8000, stopOnFailure: true };
  const signal = new AbortController().signal;
  const run = { settings, store: Object.assign(store, proxies), world, signal } as unknown as Run;
  const fence: HookEvent = {
    kind: "fence",
    outgoing: db1,
    beganAt: new Date(world.now()).toISOString(),
    cause: { ...cause, recoveryUid: recoveryUid(20) },
  };
  const fenced = commitEnding("main", await commitEvent("main", fence, 8000, commit));
  expect(store.value.phase).toBe("fenced");

  const { readCluster } = store;
  store.readCluster = () => Promise.reject(new ConsulError("CONSUL_UNREACHABLE", "connect ECONNREFUSED"));
  const ending = await afterHook(run, "main", fence, fenced);
  expect(ending).toMatchObject({ exit: "incomplete" });
  expect(ending.line).toMatch(/stopped, so taken back: .*"db1:3306 stays the master" waits in/);

  store.readCluster = readCluster;
  const deadline = world.elapsed() + 8000;
  await deliverSpooled(new Spool(folder, 10), undefined, deadline, commit);
  expect(store.value).toMatchObject({ phase: "open", master: db1, generation: 3 });
});
