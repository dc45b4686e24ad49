/** Addresses for measuring networks, which nobody routes (RFC 2544): 198.18.0.0/15, in blocks of eight. */
const BLOCKS = 16_384;
const FIRST = (198 << 24) + (18 << 16);

/** The two ends of a link. */
export interface Ends {
  readonly outside: string;
  readonly inside: string;
}

/** The ends of one of a block's four links: a network of two addresses (RFC 3021). */
export function endsOf(block: number, index: number): Ends {
  const outside = FIRST + block * 8 + index * 2;
  return { outside: dotted(outside), inside: dotted(outside + 1) };
}

/**
 * A block of which no address is in use here.
 *
 * @param taken what `ip -4 -oneline address` prints
 * @param from where to begin to look
 * @throws when all are taken
 */
export function freeBlock(taken: string, from: number): number {
  for (let step = 0; step < BLOCKS; step += 1) {
    const block = (from + step) % BLOCKS;
    const own = [0, 1, 2, 3].flatMap((index) => Object.values(endsOf(block, index) satisfies Ends));
    if (!own.some((address) => taken.includes(` ${String(address)}/`))) return block;
  }
  throw new Error("no address of 198.18.0.0/15 is free");
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
