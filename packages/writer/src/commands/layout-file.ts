import { readFile } from "node:fs/promises";
import { type Layout, type Parsed, keyName, layoutText, parseLayout } from "@primacy/contract";
import { stringify } from "yaml";
import { parseText } from "../config-file.js";
import { errorText } from "../errors.js";

/** A layout as an operator wrote it, and the name under which it is kept. */
export interface LayoutFile {
  readonly layout: Layout;
  readonly cluster: string;
}

/** Reads and checks a layout in YAML or JSON. */
export async function readLayoutFile(path: string): Promise<Parsed<LayoutFile>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    return { ok: false, problem: `the layout ${path} can't be read: ${errorText(error)}` };
  }
  const value = await parseText(text);
  if (!value.ok) return { ok: false, problem: `the layout ${path} ${value.problem}` };
  const layout = parseLayout(value.value);
  if (!layout.ok) return { ok: false, problem: `the layout ${path} is wrong: ${layout.problem}` };
  const cluster = keyName(layout.value.cluster, "cluster");
  if (!cluster.ok) return cluster;
  return { ok: true, value: { layout: layout.value, cluster: cluster.value } };
}

/** As YAML, every default written out: what `layout show` prints and `layout apply` takes. */
export function layoutYaml(layout: Layout): string {
  return stringify(JSON.parse(layoutText(layout)), { lineWidth: 110 });
}
