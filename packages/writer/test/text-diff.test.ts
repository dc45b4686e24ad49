import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Terminal } from "../src/terminal.js";
import { diffLines, showDiff } from "../src/text-diff.js";

const plain = { paint: (_colour: string, text: string) => text } as Terminal;

describe("the difference of two texts", () => {
  it("shows what goes and what comes, with two lines around it", () => {
    const before = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].join("\n");
    expect(showDiff(before, before.replace("e", "E"), plain)).toBe("  c\n  d\n- e\n+ E\n  f\n  g");
  });

  it("of equal texts is nothing", () => {
    expect(showDiff("a\nb\n", "a\nb\n", plain)).toBe("");
  });

  it("of nothing and something is all of it", () => {
    expect(showDiff("", "a\nb\n", plain)).toBe("+ a\n+ b");
  });

  it("holds both texts whole, whatever they are", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before.join("\n"), after.join("\n"));
        const only = (mark: string) => lines.filter((one) => one.mark !== mark).map((one) => one.line);
        expect(only("+")).toEqual(before);
        expect(only("-")).toEqual(after);
      }),
    );
  });
});
