import { layoutText } from "@primacy/contract";
import { expect, it } from "vitest";
import { layoutCommand } from "../src/commands/layout.js";
import { layoutYaml } from "../src/commands/layout-file.js";
import { commitEvent } from "../src/commit.js";
import type { Run } from "../src/run.js";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
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

it("a layout without the master is not written, also where that became master while an operator thought it over", async () => {
  const [store, world] = [new FakeStore(), new FakeWorld()];
  const commit = commitContext(store, world);
  await commitEvent("main", BOOTSTRAP, 8000, commit);
  const written: string[] = [];
  const writeLayout = (_cluster: string, layout: ReturnType<typeof testLayout>) => {
    written.push(layoutText(layout));
    return Promise.resolve({ outcome: "committed", index: 20 });
  };
  const apply = (file: string, ask: () => Promise<string>) =>
    layoutCommand({
      words: ["apply", file],
      switches: new Set(),
      store: Object.assign(store, { writeLayout }),
      terminal: { interactive: true, ask, out: () => undefined, paint: (_: string, text: string) => text },
      settings: { deadlineMs: 8000 },
      signal: new AbortController().signal,
    } as unknown as Run);
  const file = join(temporaryFolder(), "layout.yaml");
  writeFileSync(file, layoutYaml(testLayout({ servers: [{ host: "db1" }] })));

  const late = await apply(file, async () => {
    await commitEvent("main", opened(db1, db2, 5), 8000, commit);
    return "yes";
  });
  expect(late).toMatchObject({ exit: "refused-contradictory" });
  expect(late.line).toContain("db2:3306 is the master (generation 2)");
  expect(written).toEqual([]);

  writeFileSync(file, layoutYaml(testLayout({ servers: [{ host: "db2" }] })));
  expect(await apply(file, () => Promise.resolve("yes"))).toMatchObject({ exit: "ok" });
  expect(written).toHaveLength(1);
});
