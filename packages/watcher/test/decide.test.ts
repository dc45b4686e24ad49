import {
  type Document,
  type Layout,
  type MasterRecord,
  type Members,
  layoutText,
  membersText,
  readLayout,
  readMembers,
  readRecord,
  recordText,
} from "@primacy/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Mark, admit, markOf } from "../src/admission.js";
import { decide, readSnapshot } from "../src/decide.js";
import { hashOfText } from "../src/hash.js";
import { type Layers, plan } from "../src/plan.js";
import { desired } from "../src/desired.js";
import { carryOut } from "./model.js";
import {
  db1,
  db2,
  db3,
  layersOf,
  layoutOf,
  memberOf,
  membersOf,
  momentOf,
  recordOf,
  rowOf,
} from "./samples.js";

interface Texts {
  readonly record: string | null;
  readonly layout: string | null;
  readonly members: string | null;
}

const good: Texts = {
  record: recordText(recordOf({ quarantined: [db2] })),
  layout: layoutText(layoutOf()),
  members: membersText(membersOf([memberOf(db2), memberOf(db3)])),
};

function read(texts: Texts, lastMembers: Members | null = null): ReturnType<typeof readSnapshot> {
  const documents: { record: Document<MasterRecord>; layout: Document<Layout>; members: Document<Members> } =
    {
      record: readRecord(texts.record),
      layout: readLayout(texts.layout),
      members: readMembers(texts.members),
    };
  return readSnapshot({ ...documents, folderEmpty: texts.record === null }, "main", hashOfText, lastMembers);
}

/** The rows of a ProxySQL on which the good documents have been applied. */
function applied(): Layers {
  const reading = read(good);
  if (reading.kind !== "usable") throw new Error(reading.reason);
  const { record, layout, members } = reading.documents;
  const before = layersOf([rowOf(10, db1, "ONLINE")]);
  return plan(desired(record, layout, members), before, false).steps.reduce(carryOut, before);
}

const garbage = fc.oneof(
  fc.constant(null),
  fc.string(),
  fc.json(),
  fc.constantFrom("", "{}", "[]", "null", '{"format":2}', "<html>proxy error</html>", '{"format":1}'),
  fc.nat(600).map((length) => (good.record ?? "").slice(0, length)),
);

describe("garbage in any key never removes a server", () => {
  test.each(["record", "layout", "members"] as const)("%s", (key) => {
    const before = applied();
    const lastMembers = membersOf([memberOf(db2), memberOf(db3)]);
    fc.assert(
      fc.property(garbage, (text) => {
        const reading = read({ ...good, [key]: text }, lastMembers);
        if (reading.kind === "hold") return;
        const { record, layout, members } = reading.documents;
        expect(plan(desired(record, layout, members), before, false).steps).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("a record or layout that is absent or unusable is held, with the reason", () => {
    expect(read({ ...good, record: null })).toMatchObject({
      kind: "hold",
      reason: expect.stringMatching(/not bootstrapped, Consul wiped, or a token/),
    });
    expect(read({ ...good, record: "{" })).toMatchObject({ kind: "hold", reason: "the record is not JSON" });
    expect(read({ ...good, layout: null })).toMatchObject({ kind: "hold", reason: "there is no layout" });
    expect(read({ ...good, record: '{"format":2}' })).toMatchObject({
      kind: "hold",
      reason: expect.stringMatching(/format 2/),
    });
  });

  test("a record of another cluster under this key is held", () => {
    expect(read({ ...good, record: recordText(recordOf({ cluster: "shop" })) })).toMatchObject({
      kind: "hold",
    });
  });
});

describe("which records a ProxySQL takes", () => {
  const record = recordOf({ generation: 7 });
  const hash = hashOfText(recordText(record));
  const had = (changes: Partial<Mark>): Mark[] => [{ ...markOf(record, hash), ...changes }];

  test.each([
    ["none before", [], "admitted"],
    ["the same again", had({}), "admitted"],
    ["a lower one before", had({ generation: 6, hash: "sha256:other" }), "admitted"],
    ["a higher one before", had({ generation: 8 }), "lower-generation"],
    ["the same number with other contents", had({ hash: "sha256:other" }), "same-generation-other-contents"],
    ["another incarnation", had({ incarnation: "other", generation: 1 }), "other-incarnation"],
  ] as const)("%s", (_what, marks, expected) => {
    const admission = admit(record, hash, marks);
    expect(admission.kind === "admitted" ? "admitted" : admission.refusal).toBe(expected);
  });

  test("either memory is enough to refuse", () => {
    const [low] = had({ generation: 3 });
    const [high] = had({ generation: 9 });
    expect(admit(record, hash, [low!, high!]).kind).toBe("refused");
    expect(admit(record, hash, [high!, low!]).kind).toBe("refused");
  });

  test("in whatever order records arrive, what was applied only rises", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ generation: fc.integer({ min: 1, max: 9 }), master: fc.constantFrom(db1, db2) }),
        ),
        (all) => {
          let mark: Mark | null = null;
          for (const one of all) {
            const next = recordOf(one);
            const text = hashOfText(recordText(next));
            if (admit(next, text, mark === null ? [] : [mark]).kind === "refused") continue;
            const after = markOf(next, text);
            if (mark !== null) {
              expect(after.generation).toBeGreaterThanOrEqual(mark.generation);
              if (after.generation === mark.generation) expect(after.hash).toBe(mark.hash);
            }
            mark = after;
          }
        },
      ),
    );
  });

  test("a refused record gives no plan at all", () => {
    const reading = read(good);
    if (reading.kind !== "usable") throw new Error("unusable");
    const layers = layersOf([rowOf(10, db3, "ONLINE")]);
    const facts = { layers, ownership: null, stamp: undefined, inUse: [] };
    const decision = decide(reading.documents, facts, had({ generation: 99 }), momentOf());
    expect(decision.kind).toBe("refuse");
  });
});
