/** Since when each of a set of things has been so, milliseconds since 1970. */
export type Since = ReadonlyMap<string, number>;

export const NOTHING_SINCE: Since = new Map();

/** What is so now goes on from when it began; what is not so any more is forgotten. Pure. */
export function noteSince(before: Since, things: Iterable<string>, nowMs: number): Since {
  return new Map([...things].map((thing) => [thing, before.get(thing) ?? nowMs]));
}

export function heldForMs(since: Since, thing: string, nowMs: number): number {
  const began = since.get(thing);
  return began === undefined ? 0 : nowMs - began;
}
