import { rm } from "node:fs/promises";

/**
 * Removes a folder with all that is in it. A program that was just told to end, or a hook that goes on after its
 * Orchestrator, may put one more file there meanwhile (ENOTEMPTY): then it is tried again, for some seconds.
 */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
