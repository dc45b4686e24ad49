import { describe, expect, test } from "vitest";
import { instantOf, zoneOffsetMs } from "../../src/agent/orchestrator/backend-time.js";
import { instanceSchema, instancesSchema, readInstance } from "../../src/agent/orchestrator/instance.js";
import { readRecovery, recoveriesSchema } from "../../src/agent/orchestrator/recovery.js";
import { at3311, at3312, recordedInstances, recordedText, recordedView } from "./recorded.js";
import { NOW_MS } from "./samples.js";

/** A recorded replica with some fields changed. */
function rawReplica(changes: Record<string, unknown> = {}) {
  const list = JSON.parse(recordedText("healthy", "cluster_alias_main")) as Record<string, unknown>[];
  return instanceSchema.parse({ ...list[1], ...changes });
}

describe("an instance", () => {
  test("as recorded: a replica", () => {
    const [, second] = recordedInstances("healthy", "cluster_alias_main");
    expect(second).toEqual({
      name: at3312,
      checkValid: true,
      recentlyChecked: true,
      readOnly: true,
      source: at3311,
      detached: false,
      coMaster: false,
      ioThread: "running",
      sqlThread: "running",
      lagSeconds: 0,
      clusterName: "127.0.0.1:3311",
      suggestedAlias: "main",
      downtime: null,
      errantGtid: null,
      lastSeenAt: "2026-11-21T09:45:51.000Z",
      answeredAtMs: Date.parse("2026-11-21T09:45:51.000Z"),
    });
  });

  test("as recorded: a root has no source, no threads, and a lag that is not 0 but unknown", () => {
    const [first] = recordedInstances("healthy", "cluster_alias_main");
    expect(first).toMatchObject({ source: null, ioThread: "none", sqlThread: "none", lagSeconds: null });
  });

  test("as recorded: the dead master is still called writable, and its downtime has no end", () => {
    const dead = recordedInstances("after-dead-master", "all-instances").find(
      (one) => one.name.port === 3311,
    );
    expect(dead).toMatchObject({
      checkValid: false,
      readOnly: false,
      downtime: { reason: "lost-in-recovery", endsAt: null },
    });
  });

  test("a broken replica's lag is unknown, whatever number stands beside it", () => {
    const raw = rawReplica({ ReplicationLagSeconds: { Int64: 0, Valid: false } });
    expect(readInstance(raw, NOW_MS)?.lagSeconds).toBeNull();
  });

  test.each([
    [
      "cut off by Orchestrator",
      { MasterKey: { Hostname: "//127.0.0.1", Port: 3311 } },
      { source: null, detached: true },
    ],
    ["cut off by its coordinates", { IsDetached: true }, { source: null, detached: true }],
    [
      "with a source whose name is no host name: it is no root for that",
      { MasterKey: { Hostname: "db 1", Port: 3306 } },
      { source: null, detached: true },
    ],
    [
      "of a root that never had a source",
      { MasterKey: { Hostname: "_", Port: 0 } },
      { source: null, detached: false },
    ],
    [
      "named by a bare IPv6 address",
      { Key: { Hostname: "2001:DB8::1", Port: 3306 } },
      { name: { host: "2001:db8::1", port: 3306 } },
    ],
    ["whose threads are starting", { ReplicationIOThreadState: 2 }, { ioThread: "connecting" }],
    ["with errant transactions", { Problems: ["errant_gtid"] }, { errantGtid: "unknown" }],
    ["with named errant transactions", { GtidErrant: "a-1-2" }, { errantGtid: "a-1-2" }],
  ])("%s", (_what, changes, seen) => {
    expect(readInstance(rawReplica(changes), NOW_MS)).toMatchObject(seen);
  });

  test("is left out when its name is no host name", () => {
    expect(readInstance(rawReplica({ Key: { Hostname: "a b", Port: 3306 } }), NOW_MS)).toBeUndefined();
  });

  test.each([
    "ReadOnly",
    "IsLastCheckValid",
    "IsRecentlyChecked",
    "IsDowntimed",
    "MasterKey",
    "ReplicationSQLThreadState",
  ])("without %s it is none of Orchestrator's", (field) => {
    const raw: Record<string, unknown> = { ...rawReplica() };
    delete raw[field];
    expect(instanceSchema.safeParse(raw).success).toBe(false);
  });

  test("a fork's further fields are ignored, missing lists and nulls are taken for none", () => {
    expect(rawReplica({ ProviderType: "mysql", ReplicationChannels: [1], Problems: null }).Problems).toEqual(
      [],
    );
    expect(instancesSchema.parse(null)).toEqual([]);
  });
});

describe("the end of a downtime", () => {
  const SEEN = { Int64: 2, Valid: true };

  test.each([
    ["a backend in UTC", "2026-11-21 09:59:58", "2026-11-21 11:00:00"],
    ["a backend in Kathmandu", "2026-11-21 15:44:58", "2026-11-21 16:45:00"],
    ["a backend in New York", "2026-11-21T04:59:58Z", "2026-11-21T06:00:00Z"],
    ["a backend whose clock is a minute fast", "2026-11-21 10:00:58", "2026-11-21 11:00:00"],
  ])("%s", (_what, seen, ends) => {
    const raw = rawReplica({
      IsDowntimed: true,
      DowntimeReason: "backup",
      DowntimeEndTimestamp: ends,
      LastSeenTimestamp: seen,
      SecondsSinceLastSeen: SEEN,
    });
    expect(readInstance(raw, NOW_MS)?.downtime).toEqual({
      reason: "backup",
      endsAt: "2026-11-21T11:00:00.000Z",
    });
  });

  test("is not known where the time zone can't be told", () => {
    const raw = rawReplica({
      IsDowntimed: true,
      DowntimeEndTimestamp: "2026-11-21 11:00:00",
      LastSeenTimestamp: "",
    });
    expect(readInstance(raw, NOW_MS)?.downtime?.endsAt).toBeNull();
  });

  test("a text that is no instant gives none", () => {
    expect(zoneOffsetMs("0000-00-00 00:00:00", NOW_MS)).toBeNull();
    expect(zoneOffsetMs("2026-11-25 00:00:00", NOW_MS)).toBeNull();
    expect(instantOf("soon", 0)).toBeNull();
  });
});

describe("a recovery", () => {
  test("as recorded", () => {
    const [one] = recordedView("after-dead-master").recoveries;
    expect(one).toMatchObject({
      uid: "1795254370778455226:57f3e7c1d6fa7ed140fea956891b0bb686607f070900ebfded5ed38c3b020199",
      beganAt: "2026-11-21T09:46:10.778Z",
      analysis: "DeadMaster",
      failed: at3311,
      successor: at3312,
      successful: true,
      ended: true,
      acknowledged: false,
      clusterAlias: "main",
    });
  });

  test("without a successor has an empty host, and without an end an empty text", () => {
    const [raw] = recoveriesSchema.parse(
      JSON.parse(recordedText("after-dead-master", "audit-recovery_alias_main")),
    );
    expect(
      readRecovery({ ...raw!, SuccessorKey: { Hostname: "", Port: 0 }, RecoveryEndTimestamp: "" }),
    ).toMatchObject({
      successor: null,
      ended: false,
    });
  });

  test("none is an empty list or null", () => {
    expect(recoveriesSchema.parse(null)).toEqual([]);
  });
});
