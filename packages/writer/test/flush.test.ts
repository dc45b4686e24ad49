import { layoutText } from "@primacy/contract";
import { expect, it } from "vitest";
import { commitEvent } from "../src/commit.js";
import { flushCommand } from "../src/commands/flush.js";
import type { Run } from "../src/run.js";
import { newEntry } from "../src/spool/entry.js";
import { Spool } from "../src/spool/folder.js";
import {
  BOOTSTRAP,
  FakeStore,
  FakeWorld,
  commitContext,
  db1,
  db2,
  opened,
  removeFoldersAfterEach,
  temporaryFolder,
  testLayout,
} from "./fakes.js";

removeFoldersAfterEach();

it("a flush that leaves an event waiting is no success, whatever it waits for", async () => {
  const [store, world, folder] = [new FakeStore(), new FakeWorld(), temporaryFolder()];
  store.layout = layoutText(testLayout({ openedBy: "primacy" }));
  await commitEvent("main", BOOTSTRAP, 8000, commitContext(store, world));
  const event = opened(db1, db2, 5);
  const spooledAt = "2026-11-21T09:20:00.000Z";
  await new Spool(folder, 10).add(
    newEntry({ spooledAt, cluster: "main", hook: "PostMasterFailover", because: "away", event }),
    "00000001-",
  );
  // No account for the database servers: the new master can't be made writable.
  const settings = { spool: { folder, limit: 10 }, deadlineMs: 8000, waitMs: 0 };
  const signal = new AbortController().signal;
  const run = { settings, store, world, signal, flags: {}, deadline: 8000 } as unknown as Run;
  const ending = await flushCommand(run);
  expect(ending.line).toContain("1 still waiting");
  expect(ending.exit).toBe("not-opened");
});
