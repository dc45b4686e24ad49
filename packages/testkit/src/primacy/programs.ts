import { fileURLToPath } from "node:url";

/** The built programs, as they are shipped: one file each. `npm run build` makes them. */
export const programs = {
  writer: path("writer/dist/primacy-writer.cjs"),
  watcher: path("watcher/dist/primacy-watcher.cjs"),
} as const;

/** From this file in src/ and from the bundle in dist/ alike, the packages lie three levels up or two. */
function path(tail: string): string {
  const here = typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url);
  return `${here.slice(0, here.lastIndexOf("/packages/testkit/"))}/packages/${tail}`;
}
