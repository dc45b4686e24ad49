import { describe, expect, it } from "vitest";
import { readHookEnvironment } from "../src/hook/environment.js";
import { type HookOutcome, hookEvent } from "../src/hook/event.js";
import { HOOKS, parseHook } from "../src/hook/name.js";
import { recordedCall, recording } from "./recordings.js";

const NAMES = { fixed: undefined, aliases: new Map<string, string>() };
const server = (port: number) => ({ host: "127.0.0.1", port });

function outcome(hook: string, env: Record<string, string>, flags: Record<string, string> = {}): HookOutcome {
  const parsed = parseHook(hook);
  if (parsed === undefined) throw new Error(`${hook} is no hook`);
  return hookEvent(parsed, readHookEnvironment(env, flags), NAMES);
}

/** The flags of whoever prefers placeholders, as Orchestrator fills them in. */
function placeholderFlags(placeholders: Record<string, string>): Record<string, string> {
  const flag = (name: string) => placeholders[name] ?? `{${name}}`;
  return {
    "failure-type": flag("failureType"),
    command: flag("command"),
    "failed-host": flag("failedHost"),
    "failed-port": flag("failedPort"),
    "successor-host": flag("successorHost"),
    "successor-port": flag("successorPort"),
    "cluster-alias": flag("failureClusterAlias"),
    "recovery-uid": flag("recoveryUID"),
    "is-successful": flag("isSuccessful"),
  };
}

const DEAD_UID = "1795252461805857380:be7a274565848153516917f32e268ee4f642e7f24c7135a005c79a321647667e";
const DEAD_CAUSE = { kind: "dead-master", failureType: "DeadMaster", command: "", recoveryUid: DEAD_UID };
const DEAD_BEGAN = "2026-11-21T09:14:21.805Z";
const IGNORED = { kind: "ignored" };

const DEAD_MASTER: Record<string, unknown> = {
  OnFailureDetectionProcesses: IGNORED,
  PreFailoverProcesses: {
    kind: "event",
    cluster: "main",
    event: { kind: "fence", outgoing: server(3312), cause: DEAD_CAUSE, beganAt: DEAD_BEGAN },
  },
  PostMasterFailoverProcesses: openEvent(3312, 3311, DEAD_CAUSE, DEAD_BEGAN),
  PostFailoverProcesses: openEvent(3312, 3311, DEAD_CAUSE, DEAD_BEGAN),
};

const UID = recordedCall("graceful-master-takeover", "PostFailoverProcesses").env["ORC_RECOVERY_UID"] ?? "";
const GRACEFUL_CAUSE = {
  kind: "graceful-takeover",
  failureType: "DeadMaster",
  command: "graceful-master-takeover",
  recoveryUid: UID,
};
const GRACEFUL_BEGAN = "2026-11-21T09:13:50.644Z";

const GRACEFUL: Record<string, unknown> = {
  PreGracefulTakeoverProcesses: {
    kind: "event",
    cluster: "main",
    event: {
      kind: "drain",
      outgoing: server(3311),
      successor: server(3312),
      // Nobody has given the recovery an id yet.
      cause: { ...GRACEFUL_CAUSE, recoveryUid: "" },
      beganAt: null,
    },
  },
  OnFailureDetectionProcesses: IGNORED,
  PreFailoverProcesses: {
    kind: "event",
    cluster: "main",
    event: { kind: "fence", outgoing: server(3311), cause: GRACEFUL_CAUSE, beganAt: GRACEFUL_BEGAN },
  },
  PostMasterFailoverProcesses: openEvent(3311, 3312, GRACEFUL_CAUSE, GRACEFUL_BEGAN),
  PostFailoverProcesses: openEvent(3311, 3312, GRACEFUL_CAUSE, GRACEFUL_BEGAN),
  PostGracefulTakeoverProcesses: openEvent(3311, 3312, GRACEFUL_CAUSE, GRACEFUL_BEGAN),
};

function openEvent(outgoing: number, successor: number, cause: object, beganAt: string) {
  return {
    kind: "event",
    cluster: "main",
    event: { kind: "open", outgoing: server(outgoing), successor: server(successor), cause, beganAt },
  };
}

const OPEN_ENV = recordedCall("dead-master", "PostMasterFailoverProcesses").env;
const changed = (changes: Record<string, string>) => ({ ...OPEN_ENV, ...changes });
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(OPEN_ENV).filter(([name]) => !names.includes(name)));

describe("the recorded hooks", () => {
  const cases = [
    ...recording("dead-master").map((call) => ({ call, expected: DEAD_MASTER[call.hook] })),
    ...recording("graceful-master-takeover").map((call) => ({ call, expected: GRACEFUL[call.hook] })),
  ];

  it("are all in the table", () => {
    expect(cases.map(({ expected }) => expected)).not.toContain(undefined);
    expect(cases).toHaveLength(10);
  });

  it.each(cases)("$call.hook, by environment", ({ call, expected }) => {
    expect(outcome(call.hook, call.env)).toMatchObject(expected as object);
  });

  it.each(cases)(
    "$call.hook, by placeholders that Orchestrator filled in or left standing",
    ({ call, expected }) => {
      expect(outcome(call.hook, {}, placeholderFlags(call.placeholders))).toMatchObject(expected as object);
    },
  );
});

describe("names of hooks", () => {
  it.each(HOOKS)("%s, with and without Processes, in any case", (hook) => {
    expect(parseHook(hook)).toBe(hook);
    expect(parseHook(`${hook}Processes`)).toBe(hook);
    expect(parseHook(hook.toUpperCase())).toBe(hook);
    expect(parseHook(`${hook.toLowerCase()}processes`)).toBe(hook);
  });

  it.each(["", "Post", "PostMasterFailoverProcess", "PostMasterFailover; rm -rf /"])("%j is none", (text) => {
    expect(parseHook(text)).toBeUndefined();
  });
});

describe("recoveries that are not a master's", () => {
  const types = [
    "DeadIntermediateMaster",
    "DeadIntermediateMasterAndSomeReplicas",
    "DeadIntermediateMasterWithSingleReplicaFailingToConnect",
    "AllIntermediateMasterReplicasFailingToConnectOrDead",
    "DeadReplicationGroupMemberWithReplicas",
    "NoWriteableMasterStructureWarning",
    "LockedSemiSyncMaster",
    "MasterWithTooManySemiSyncReplicas",
    "UnreachableMaster",
    "AllMasterReplicasNotReplicating",
  ];
  it.each(types)("%s changes nothing, whatever hook and however successful", (failureType) => {
    for (const hook of HOOKS) {
      expect(outcome(hook, changed({ ORC_FAILURE_TYPE: failureType })).kind).toBe("ignored");
    }
  });

  it.each([
    "DeadMasterAndSomeReplicas",
    "DeadCoMaster",
    "DeadCoMasterAndSomeReplicas",
    "DeadMasterAndSomeSlaves",
  ])("%s is a master's", (failureType) => {
    expect(outcome("PostFailover", changed({ ORC_FAILURE_TYPE: failureType })).kind).toBe("event");
  });

  it("a forced takeover that found no analysis says intermediate-master, and is a master's all the same", () => {
    const env = changed({
      ORC_COMMAND: "force-master-takeover",
      ORC_INSTANCE_TYPE: "intermediate-master",
      ORC_IS_MASTER: "false",
    });
    expect(outcome("PostMasterFailover", env)).toMatchObject({
      kind: "event",
      event: { kind: "open", cause: { kind: "forced-takeover" } },
    });
  });

  it("an intermediate master's own hook changes nothing even with a master's failure type", () => {
    expect(outcome("PostIntermediateMasterFailover", OPEN_ENV).kind).toBe("ignored");
  });

  it("PostTakeMasterProcesses' two variables are known, also where another hook was put in their list", () => {
    const env = { ORC_FAILED_HOST: "db1:3306", ORC_SUCCESSOR_HOST: "db2:3306" };
    for (const hook of HOOKS) expect(outcome(hook, env).kind).toBe("ignored");
    const ipv6 = { ORC_FAILED_HOST: "[2001:db8::1]:3306", ORC_SUCCESSOR_HOST: "[2001:db8::2]:3306" };
    expect(outcome("PostMasterFailover", ipv6).kind).toBe("ignored");
  });
});

describe("what a recovery was", () => {
  it.each([
    ["", "dead-master"],
    ["graceful-master-takeover", "graceful-takeover"],
    ["graceful-master-takeover-auto", "graceful-takeover"],
    ["force-master-failover", "forced-takeover"],
    ["force-master-takeover", "forced-takeover"],
  ])("command %j: %s", (command, kind) => {
    expect(outcome("PostMasterFailover", changed({ ORC_COMMAND: command }))).toMatchObject({
      event: { kind: "open", cause: { kind, command } },
    });
  });

  it("PostUnsuccessfulFailover leaves the failed server the master, whatever successor was inherited", () => {
    const env = changed({ ORC_IS_SUCCESSFUL: "false", ORC_SUCCESSOR_HOST: "stranger" });
    expect(outcome("PostUnsuccessfulFailover", env)).toEqual({
      kind: "event",
      cluster: "main",
      event: {
        kind: "abort",
        outgoing: server(3312),
        cause: { ...DEAD_CAUSE, kind: "failover-failed" },
        beganAt: DEAD_BEGAN,
      },
    });
  });

  it("an id that is not Orchestrator's leaves the beginning open", () => {
    expect(outcome("PostMasterFailover", changed({ ORC_RECOVERY_UID: "abc" }))).toMatchObject({
      event: { beganAt: null, cause: { recoveryUid: "abc" } },
    });
  });

  it("success alone promotes nobody", () => {
    const env = recordedCall("graceful-master-takeover", "PreGracefulTakeoverProcesses").env;
    expect(env["ORC_IS_SUCCESSFUL"]).toBe("true");
    expect(outcome("PreGracefulTakeover", env)).toMatchObject({ event: { kind: "drain" } });
    expect(outcome("PreFailover", env)).toMatchObject({ event: { kind: "fence" } });
  });

  it("a drain without a successor is a drain", () => {
    const env = without("ORC_SUCCESSOR_HOST", "ORC_SUCCESSOR_PORT");
    expect(outcome("PreGracefulTakeover", env)).toMatchObject({ event: { kind: "drain", successor: null } });
  });
});

describe("environments that say too little or too much", () => {
  const cases: [string, Record<string, string>, string][] = [
    ["nothing at all", {}, "ORC_FAILURE_TYPE (or --failure-type) is missing"],
    ["no failed host", without("ORC_FAILED_HOST"), "ORC_FAILED_HOST (or --failed-host) is missing"],
    ["no failed port", without("ORC_FAILED_PORT"), "ORC_FAILED_PORT (or --failed-port) is missing"],
    [
      "no successor",
      without("ORC_SUCCESSOR_HOST", "ORC_SUCCESSOR_PORT"),
      "ORC_SUCCESSOR_HOST (or --successor-host) and ORC_SUCCESSOR_PORT (or --successor-port) are missing",
    ],
    [
      "half a successor",
      without("ORC_SUCCESSOR_PORT"),
      "ORC_SUCCESSOR_PORT (or --successor-port) is missing",
    ],
    ["a literal placeholder", changed({ ORC_SUCCESSOR_HOST: "{successorHost}" }), "ORC_SUCCESSOR_HOST"],
    ["no alias", without("ORC_FAILURE_CLUSTER_ALIAS"), "no cluster is named"],
    [
      "the stand-in for an alias",
      changed({ ORC_FAILURE_CLUSTER_ALIAS: "db1.example:3306" }),
      "no cluster alias but",
    ],
    [
      "an alias that is no key",
      changed({ ORC_FAILURE_CLUSTER_ALIAS: "../../etc" }),
      "cannot stand in a Consul key",
    ],
    ["a shell in the host", changed({ ORC_SUCCESSOR_HOST: "db2; rm -rf /" }), "is not a host name"],
    ["a line break in the host", changed({ ORC_FAILED_HOST: "db1\nevil" }), "db1?evil"],
    ["a host with a port", changed({ ORC_FAILED_HOST: "db1:3306" }), "is not a host name"],
    ["port 0", changed({ ORC_FAILED_PORT: "0" }), "0 is not a port"],
    ["port 70000", changed({ ORC_FAILED_PORT: "70000" }), "70000 is not a port"],
    ["a port in hex", changed({ ORC_FAILED_PORT: "0x10" }), '"0x10" is not a port'],
    [
      "the failed server as its own successor",
      changed({ ORC_SUCCESSOR_PORT: "3312" }),
      "the failed server itself",
    ],
    ["no success", changed({ ORC_IS_SUCCESSFUL: "false" }), "must have been promoted"],
    ["an endless id", changed({ ORC_RECOVERY_UID: "1".repeat(300) }), "ORC_RECOVERY_UID has 300 characters"],
    ["a bell in the command", changed({ ORC_COMMAND: "a\u0007b" }), "ORC_COMMAND has control characters"],
  ];
  it.each(cases)("%s", (_name, env, said) => {
    const result = outcome("PostMasterFailover", env);
    expect(result.kind).toBe("problem");
    expect(result.kind === "problem" && result.problems.join("; ")).toContain(said);
  });

  it("names everything that is missing at once", () => {
    const result = outcome("PostMasterFailover", { HOME: "/root" });
    expect(result.kind === "problem" && result.problems).toHaveLength(4);
  });

  it("what a hook doesn't need may be wrong", () => {
    const env = changed({ ORC_SUCCESSOR_HOST: "; rm", ORC_SUCCESSOR_PORT: "x" });
    expect(outcome("PreFailover", env).kind).toBe("event");
    expect(outcome("OnFailureDetection", {}).kind).toBe("ignored");
  });
});

describe("flags and environment", () => {
  it("a flag goes over the environment, and a placeholder left standing does not", () => {
    expect(outcome("PostMasterFailover", OPEN_ENV, { "successor-port": "3399" })).toMatchObject({
      event: { successor: server(3399) },
    });
    expect(outcome("PostMasterFailover", OPEN_ENV, { "successor-port": "{successorPort}" })).toMatchObject({
      event: { successor: server(3311) },
    });
  });

  it("hosts come in their one form", () => {
    const env = changed({ ORC_FAILED_HOST: "DB1.Example.", ORC_SUCCESSOR_HOST: "2001:DB8:0::2" });
    expect(outcome("PostMasterFailover", env)).toMatchObject({
      event: { outgoing: { host: "db1.example" }, successor: { host: "2001:db8::2" } },
    });
  });
});
