import { join } from "node:path";
import { packageRoot } from "../package-root.js";

/** The built programs, as they are shipped: one file each. `npm run build` makes them. */
export const programs = {
  writer: join(packageRoot(), "../writer/dist/primacy-writer.cjs"),
  watcher: join(packageRoot(), "../watcher/dist/primacy-watcher.cjs"),
} as const;
