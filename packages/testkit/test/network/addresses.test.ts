import { describe, expect, it } from "vitest";
import { endsOf, freeBlock } from "../../src/network/addresses.js";

describe("the addresses of a link", () => {
  it("are the two of a network of two, within 198.18.0.0/15", () => {
    expect(endsOf(0, 0)).toEqual({ outside: "198.18.0.0", inside: "198.18.0.1" });
    expect(endsOf(1, 3)).toEqual({ outside: "198.18.0.14", inside: "198.18.0.15" });
    expect(endsOf(16_383, 3)).toEqual({ outside: "198.19.255.254", inside: "198.19.255.255" });
  });

  it("are of a block in which none is taken", () => {
    const line = (address: string) =>
      `9: pr1.1.0    inet ${address}/31 scope global pr1.1.0\\       valid_lft forever`;
    expect(freeBlock(line("127.0.0.1"), 7)).toBe(7);
    expect(freeBlock(line("198.18.0.58"), 7)).toBe(8);
    expect(freeBlock(line("198.18.0.0"), 16_384)).toBe(1);
    expect(freeBlock(line("198.18.0.5"), 16_383)).toBe(16_383);
  });
});
