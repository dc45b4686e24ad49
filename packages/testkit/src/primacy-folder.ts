import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The root folder of the repository in which this process runs, or the working folder when it runs outside. */
function repositoryRoot(from = process.cwd()): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isRoot(folder)) return folder;
    if (dirname(folder) === folder) return from;
  }
}

/** `.primacy/` in the repository's root: downloaded servers, templates and reports; never in git. */
export function primacyFolder(...path: string[]): string {
  return join(repositoryRoot(), ".primacy", ...path);
}

function isRoot(folder: string): boolean {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return false;
  const manifest = JSON.parse(readFileSync(file, "utf8")) as { workspaces?: unknown };
  return manifest.workspaces !== undefined;
}
