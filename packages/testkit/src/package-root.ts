import { fileURLToPath } from "node:url";

/** The folder of this package: the same from its sources in src/ and from its bundles in dist/. */
export function packageRoot(): string {
  const here = typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url);
  return here.slice(0, here.lastIndexOf("/packages/testkit/") + "/packages/testkit".length);
}
