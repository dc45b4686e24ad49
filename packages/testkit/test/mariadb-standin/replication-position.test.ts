import { describe, expect, it } from "vitest";
import { BinaryLog } from "../../src/mariadb-standin/storage/binary-log.js";
import type { Change } from "../../src/mariadb-standin/storage/change.js";
import {
  currentPosition,
  type Gtid,
  gtidText,
  parseGtids,
  reaches,
} from "../../src/mariadb-standin/storage/gtid.js";

const gtid = (text: string): Gtid => parseGtids(text)[0]!;
const row: Change = { kind: "rows", inserts: [{ table: "app.t", rows: [[1]] }] };

describe("GTIDs", () => {
  it("are read and written alike", () => {
    expect(parseGtids("0-1-5, 1-7-2").map(gtidText)).toEqual(["0-1-5", "1-7-2"]);
    expect(parseGtids("")).toEqual([]);
    expect(gtidText(undefined)).toBe("");
    expect(() => parseGtids("0-1")).toThrow("Could not parse GTID list");
  });

  it("are reached by their sequence, whoever wrote it", () => {
    expect(reaches(gtid("0-2-7"), parseGtids("0-1-7"))).toBe(true);
    expect(reaches(gtid("0-2-7"), parseGtids("0-1-8"))).toBe(false);
    expect(reaches(undefined, [])).toBe(true);
    expect(reaches(gtid("0-1-9"), parseGtids("1-1-1"))).toBe(false);
  });

  it("make a current position of what was written and what was replicated", () => {
    expect(gtidText(currentPosition(1, gtid("0-1-9"), undefined))).toBe("0-1-9");
    expect(gtidText(currentPosition(2, gtid("0-1-9"), gtid("0-1-9")))).toBe("0-1-9");
    expect(gtidText(currentPosition(2, gtid("0-2-10"), gtid("0-1-9")))).toBe("0-2-10");
    // Not what somebody else wrote and this server only passed on.
    expect(gtidText(currentPosition(3, gtid("0-2-10"), gtid("0-1-9")))).toBe("0-1-9");
  });
});

describe("a binary log", () => {
  it("numbers what is written and keeps the names of what is replicated", () => {
    const log = new BinaryLog();
    expect(gtidText(log.append(1, row))).toBe("0-1-1");
    expect(log.appendReplicated(gtid("0-9-5"), row)).toBe(true);
    expect(gtidText(log.append(1, row))).toBe("0-1-6");
    // gtid_strict_mode: no number twice, none that is lower.
    expect(log.appendReplicated(gtid("0-9-6"), row)).toBe(false);
    expect(gtidText(log.position)).toBe("0-1-6");
  });

  it("gives a replica what comes after its position, and says why it can't", () => {
    const log = new BinaryLog();
    expect(log.since(undefined)).toEqual([]);
    for (let count = 0; count < 3; count += 1) log.append(1, row);
    const names = (from: Gtid | undefined) => {
      const entries = log.since(from);
      return "why" in entries ? entries.why : entries.map((one) => gtidText(one.gtid));
    };
    expect(names(undefined)).toEqual(["0-1-1", "0-1-2", "0-1-3"]);
    expect(names(gtid("0-1-2"))).toEqual(["0-1-3"]);
    expect(names(gtid("0-1-3"))).toEqual([]);
    const strange =
      "Error: connecting slave requested to start from GTID 0-2-3, which is not in the master's binlog";
    expect(names(gtid("0-2-3"))).toBe(strange);
  });

  it("forgets the oldest when there are too many, and sends nobody away with a hole", () => {
    const log = new BinaryLog(4);
    for (let count = 0; count < 20; count += 1) log.append(1, row);
    const entries = log.since(gtid("0-1-19"));
    expect(entries).toHaveLength(1);
    expect(log.since(undefined)).toMatchObject({ why: expect.stringContaining("purged") as string });
    expect(log.since(gtid("0-1-2"))).toMatchObject({ why: expect.stringContaining("purged") as string });
    // From right behind what is gone, all that is left.
    const oldest = 20 - 4;
    expect(log.since(gtid(`0-1-${oldest}`))).toHaveLength(4);
  });

  it("has places that rise within a file, and a new file after a restart", () => {
    const log = new BinaryLog();
    const before = log.coordinates;
    log.append(1, row);
    expect(log.coordinates.file).toBe(before.file);
    expect(log.coordinates.position).toBeGreaterThan(before.position);
    expect(log.since(undefined)).toMatchObject([{ start: before.position, ...log.coordinates }]);
    log.rotate();
    expect(log.coordinates.file > before.file).toBe(true);
    expect(gtidText(log.append(1, row))).toBe("0-1-2");
  });

  it("tells who listens of each transaction, until they have enough", () => {
    const log = new BinaryLog();
    const heard: string[] = [];
    const stop = log.onAppend((entry) => heard.push(gtidText(entry.gtid)));
    log.append(1, row);
    stop();
    log.append(1, row);
    expect(heard).toEqual(["0-1-1"]);
  });
});
