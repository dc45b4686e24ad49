import { describe, expect, it } from "vitest";
import { letFailoverGoOn } from "../src/commands/hook.js";
import { HOOKS, stopsRecovery } from "../src/hook/name.js";

const failed = { exit: "undelivered", line: "Consul can't be reached" } as const;

describe("what a failed hook does to Orchestrator's failover", () => {
  it.each(["PreFailover", "PreGracefulTakeover"] as const)(
    "%s lets it go on, and says what went wrong",
    (hook) => {
      expect(letFailoverGoOn(hook, failed, false)).toEqual({
        exit: "ok",
        line: "Consul can't be reached; the failover goes on without it (undelivered)",
      });
    },
  );

  it.each(["PreFailover", "PreGracefulTakeover"] as const)(
    "%s stops it where the operator chose so",
    (hook) => {
      expect(letFailoverGoOn(hook, failed, true)).toEqual(failed);
    },
  );

  it("every other hook tells the truth: its exit code stops nothing", () => {
    for (const hook of HOOKS.filter((one) => !stopsRecovery(one))) {
      expect(letFailoverGoOn(hook, failed, false)).toEqual(failed);
    }
  });

  it("a hook that did its part has nothing to add", () => {
    const ok = { exit: "ok", line: "main generation 2" } as const;
    expect(letFailoverGoOn("PreFailover", ok, false)).toEqual(ok);
  });
});
