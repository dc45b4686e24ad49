import { describe, expect, it } from "vitest";
import { WaitTimeoutError, waitUntil } from "../src/wait-until.js";

describe("waitUntil", () => {
  it("answers the first truthy value", async () => {
    let looks = 0;
    const value = await waitUntil(() => (++looks < 4 ? undefined : `look ${looks}`), {
      timeoutMs: 5_000,
      intervalMs: 1,
      what: "the fourth look",
    });
    expect(value).toBe("look 4");
  });

  it("takes a condition that throws as not yet", async () => {
    let looks = 0;
    const condition = async () => {
      looks++;
      if (looks < 3) throw new Error("connect ECONNREFUSED");
      return { looks };
    };
    await expect(
      waitUntil(condition, { timeoutMs: 5_000, intervalMs: 1, what: "a server" }),
    ).resolves.toEqual({
      looks: 3,
    });
  });

  it("says what it waited for and the last value seen when it gives up", async () => {
    const waiting = waitUntil(() => 0, { timeoutMs: 30, intervalMs: 5, what: "two replicas" });
    await expect(waiting).rejects.toThrow(
      new WaitTimeoutError("gave up waiting for two replicas after 30 ms; last seen: 0"),
    );
  });

  it("keeps the last error as the cause when it gives up", async () => {
    const refused = new Error("connect ECONNREFUSED 127.0.0.1:1");
    const error = await waitUntil(() => Promise.reject(refused), { timeoutMs: 30, what: "a server" }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({
      cause: refused,
      message: expect.stringContaining("last error: Error: connect"),
    });
  });

  it("keeps the limit for a condition that never settles", async () => {
    const waiting = waitUntil(() => new Promise<boolean>(() => undefined), {
      timeoutMs: 40,
      what: "nothing",
    });
    await expect(waiting).rejects.toThrow(
      "gave up waiting for nothing after 40 ms; the condition never answered",
    );
  });
});
