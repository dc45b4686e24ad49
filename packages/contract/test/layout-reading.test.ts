import { describe, expect, test } from "vitest";
import { layoutText, parseLayout, readLayout } from "../src/index.js";

const written = { cluster: "main", hostgroups: { writer: 10, reader: 20 }, servers: [{ host: "db1" }] };

function stored(changes: (layout: Record<string, unknown>) => void): string {
  const parsed = parseLayout(written);
  if (!parsed.ok) throw new Error(parsed.problem);
  const json = JSON.parse(layoutText(parsed.value)) as Record<string, unknown>;
  changes(json);
  return JSON.stringify(json);
}

describe("a field that this version does not know", () => {
  const text = stored((layout) => {
    layout["color"] = "blue";
    (layout["hostgroups"] as Record<string, unknown>)["backup"] = 30;
    (layout["servers"] as Record<string, unknown>[])[0]!["rack"] = "a7";
  });

  test("is left out of account where it lies in Consul: an older watcher goes on following", () => {
    const read = readLayout(text);
    expect(read.kind).toBe("valid");
    expect(read.kind === "valid" && read.value.hostgroups).toEqual({ writer: 10, reader: 20 });
    expect(read.kind === "valid" && read.value).not.toHaveProperty("color");
  });

  test("may be nested as deep as it fits", () => {
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const deep = stored((layout) => (layout["color"] = "blue")).replace('"blue"', nested);
    expect(readLayout(deep).kind).toBe("valid");
    expect(readLayout(`{"format":1,"color":${nested}}`).kind).toBe("unusable");
  });

  test("is refused where an operator writes it", () => {
    expect(parseLayout(JSON.parse(text))).toMatchObject({
      ok: false,
      problem: expect.stringContaining("nrecognized"),
    });
  });

  test("saves no layout that is wrong besides", () => {
    const wrong = stored((layout) => {
      layout["color"] = "blue";
      layout["masterReads"] = "sometimes";
    });
    expect(readLayout(wrong)).toMatchObject({
      kind: "unusable",
      problem: expect.stringContaining("masterReads"),
    });
    expect(readLayout('{"format":2,"color":"blue"}')).toMatchObject({
      kind: "unusable",
      problem: expect.stringContaining("format 2"),
    });
  });
});

test("a layout that nobody could read is none that an operator can write", () => {
  const domain = Array.from("abc", (letter) => letter.repeat(60)).join(".");
  const servers = Array.from({ length: 256 }, (_, n) => ({
    host: `db${n}`,
    alsoKnownAs: Array.from({ length: 5 }, (__, name) => `db${n}.name${name}.${domain}`),
  }));
  const parsed = parseLayout({ ...written, servers });
  expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(/it has \d+ characters/) });
  expect(parseLayout({ ...written, servers: servers.slice(0, 128) }).ok).toBe(true);
});
