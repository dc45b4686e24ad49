import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** The text of a file, by its path from the root of the repository. */
export function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** Files of a folder and below, by their paths from the root; `ends` is how a name ends. */
export function filesBelow(folder: string, ends: string): string[] {
  return readdirSync(fileURLToPath(new URL(folder, ROOT)), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(path, ends);
      return entry.name.endsWith(ends) ? [path] : [];
    })
    .sort();
}

/** The Markdown that operators read. */
export function documents(): string[] {
  return [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ...filesBelow("docs", ".md"),
    ...filesBelow("docker", ".md"),
  ];
}

/** What stands below a heading, up to the next of the same level or a higher one. @throws where there is no such heading */
export function section(text: string, heading: string): string {
  const [level = ""] = /^#+/.exec(heading) ?? [];
  const lines = text.split("\n");
  const begin = lines.indexOf(heading);
  if (begin < 0) throw new Error(`there is no "${heading}"`);
  // A "#" in a block of code is no heading.
  const inCode = lines.map(
    (_, at) => lines.slice(0, at).filter((line) => line.startsWith("```")).length % 2 === 1,
  );
  const end = lines.findIndex(
    (line, at) =>
      at > begin && inCode[at] === false && /^#+ /.test(line) && line.indexOf(" ") <= level.length,
  );
  return lines.slice(begin + 1, end < 0 ? undefined : end).join("\n");
}

/** The rows of the first table in a text, without its head: cells as a reader sees them. */
export function tableRows(text: string): string[][] {
  const lines = text.split("\n");
  const rule = lines.findIndex((line) => /^\| *:?-+/.test(line));
  if (rule < 0) throw new Error("there is no table");
  const rest = lines.slice(rule + 1);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll(/\\([\\<>|*_])/g, "$1")),
  );
}

/** A cell without the backticks of code. */
export function bare(cell: string | undefined): string {
  return (cell ?? "").replaceAll("`", "");
}

/** The fenced blocks of a language, without their fences. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\S*)\n([^]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , block = ""]) => block);
}
