import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";

/** The statements of a block under a heading of docs/old-master.md, as an administrator would paste them. */
export function documentedSql(heading: string, which: number): string[] {
  const text = readFileSync(join(packageRoot(), "../../docs/old-master.md"), "utf8");
  const blocks = text.split(`${heading}:\n\n\`\`\`sql\n`).slice(1);
  const block = blocks[which]?.split("```")[0];
  if (block === undefined) throw new Error(`docs/old-master.md has no SQL under "${heading}"`);
  return block.split(";\n").filter((statement) => statement.trim() !== "");
}
