/**
 * Instants as Orchestrator's backend writes them: `2026-11-21T09:46:10Z` or `2026-11-21 09:46:10`, both in the one
 * answer, and both without saying in which time zone the backend's database lives (3.2.6; the `Z` is the driver's). Pure.
 */

const QUARTER_HOUR_MS = 15 * 60_000;
const WIDEST_ZONE_MS = 14 * 60 * 60_000;

/** The text as if it were UTC, milliseconds since 1970; null for anything else. */
function asUtc(text: string): number | null {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?Z?$/.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${match[1] ?? ""}T${match[2] ?? ""}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/**
 * How far the backend's clock face is ahead of UTC, in milliseconds: found from a text whose true instant is known.
 * Time zones differ by quarters of an hour, so clocks that differ by a few minutes do no harm. Null where that gives no
 * time zone.
 */
export function zoneOffsetMs(text: string, trueMs: number): number | null {
  const face = asUtc(text);
  if (face === null) return null;
  const offset = Math.round((face - trueMs) / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
  // No minus zero: it would show in documents that are compared.
  return Math.abs(offset) <= WIDEST_ZONE_MS ? offset + 0 : null;
}

/** The instant of a text of the same backend, ISO 8601 with milliseconds; null where the text is no instant. */
export function instantOf(text: string, offsetMs: number): string | null {
  const face = asUtc(text);
  return face === null ? null : new Date(face - offsetMs).toISOString();
}
