import { describe, expect, it } from "vitest";
import { chooseCandidate, preferDesignated } from "../../src/orchestrator-standin/candidate.js";
import type { Instance } from "../../src/orchestrator-standin/instance.js";
import { replica } from "./topologies.js";

const applied = (LogPos: number, LogFile = "mysql-bin.000009"): Partial<Instance> => ({
  ExecBinlogCoordinates: { LogFile, LogPos, Type: 0 },
});
const ports = (instances: readonly Instance[]) => instances.map(({ Key }) => Key.Port);

describe("the replica that follows", () => {
  it("is the one that has applied most of the master's log", () => {
    const choice = chooseCandidate(
      [
        replica(1, 9, applied(500)),
        replica(2, 9, applied(4, "mysql-bin.000010")),
        replica(3, 9, applied(900)),
      ],
      [],
    );
    expect(choice.candidate?.Key.Port).toBe(2);
    expect(ports(choice.toMove)).toEqual([3, 1]);
    expect(choice.lost).toEqual([]);
    expect(choice.problem).toBeNull();
  });

  it("is the first of those that have applied the same", () => {
    expect(chooseCandidate([replica(5, 9), replica(4, 9)], []).candidate?.Key.Port).toBe(5);
  });

  it("keeps a log of what it replicates; those ahead of it are lost", () => {
    const mute = { ...applied(900), LogReplicationUpdatesEnabled: false };
    const choice = chooseCandidate(
      [replica(1, 9, mute), replica(2, 9, applied(500)), replica(3, 9, applied(100))],
      [],
    );
    expect(choice.candidate?.Key.Port).toBe(2);
    expect(ports(choice.toMove)).toEqual([3]);
    expect(ports(choice.lost)).toEqual([1]);
  });

  it("is promoted alone where none can have replicas", () => {
    const mute = { LogReplicationUpdatesEnabled: false };
    const choice = chooseCandidate([replica(1, 9, mute), replica(2, 9, mute)], []);
    expect(choice.candidate?.Key.Port).toBe(1);
    expect(ports(choice.lost)).toEqual([2]);
    expect(choice.problem).toContain("no candidate replica");
  });

  it("is none of those that may not be promoted", () => {
    const filtered = chooseCandidate([replica(1, 9, applied(900)), replica(2, 9, applied(1))], [":1$"]);
    expect(filtered.candidate?.Key.Port).toBe(2);
    expect(ports(filtered.lost)).toEqual([1]);
    expect(chooseCandidate([replica(1, 9), replica(2, 9)], ["127.0.0.1"]).candidate).toBeNull();
    // An address is no pattern: 127.0.0.1 does not stand for 127.0.0.11.
    expect(chooseCandidate([replica(1, 9)], ["127.0.0"]).candidate).toBeNull();
    expect(chooseCandidate([replica(1, 9)], ["27.0.0.1"]).candidate?.Key.Port).toBe(1);
  });

  it("is the designated one, which the one picked follows; nobody is told to follow itself", () => {
    const picked = chooseCandidate([replica(5, 9), replica(4, 9), replica(3, 9)], []);
    const choice = preferDesignated(picked, replica(4, 9).Key);
    expect(choice.candidate?.Key.Port).toBe(4);
    expect(ports(choice.toMove)).toEqual([5, 3]);
    expect(preferDesignated(picked, null)).toBe(picked);
    expect(preferDesignated(picked, replica(5, 9).Key)).toBe(picked);
    expect(preferDesignated(picked, replica(7, 9).Key)).toBe(picked);
  });

  it("is nobody where there is nobody", () => {
    expect(chooseCandidate([], [])).toMatchObject({ candidate: null, problem: "No replicas found" });
  });
});
