const FIRST_MS = 50;
const LONGEST_MS = 1000;

/**
 * How long to wait before connecting again, in milliseconds: a random part of a limit that doubles up to a second, so that
 * many clients do not come back at one moment.
 *
 * @param failures in a row, from 1
 * @param random 0 to below 1
 */
export function backOffMs(failures: number, random: number): number {
  return random * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
}
