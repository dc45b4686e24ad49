/** Exit codes of `primacy-watcher`. docs/exit-codes.md lists them; a test compares the two. */
export const EXIT_CODES = {
  OK: 0,
  /** An error of ours: a bug. */
  UNEXPECTED: 1,
  /** Wrong flags, settings, or a file that can't be read. */
  BAD_OPTIONS: 10,
  /** `plan --check`: something would be changed. */
  CHANGES_PENDING: 20,
  /** Nothing to go by: Consul away, no record, no layout. The layout of ProxySQL was left as it is. */
  HELD: 21,
  /** The record was refused: lower generation, other contents, or another incarnation. */
  REFUSED: 22,
  /** Something else owns the hostgroups. */
  CONFLICT: 23,
  /** ProxySQL could not be reached, or did not do what it was told. */
  FAILED: 24,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
