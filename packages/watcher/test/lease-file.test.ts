import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LeaseFile } from "../src/lease-file.js";
import { OptionsError } from "../src/options.js";

test("a lease file that is not there is none; one that can't be read is a setting that can't be used", async () => {
  const directory = await mkdtemp(join(tmpdir(), "primacy-lease-file-"));
  try {
    expect(await new LeaseFile(join(directory, "proxy1.lease")).read()).toEqual([]);
    await expect(new LeaseFile(directory).read()).rejects.toThrow(OptionsError);
    await expect(new LeaseFile(directory).read()).rejects.toThrow("lease.file");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
