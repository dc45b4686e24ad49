// Counts what vitest's JSON report says.

/**
 * @param {{ testResults: { status: string, assertionResults: { status: string }[] }[] } | undefined} report
 *   undefined where vitest wrote none
 * @returns {{ passed: number, failed: number, skipped: number }} a file that failed outside of its tests (it can't be
 *   loaded, or its beforeAll failed) counts as one failure
 */
export function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    const statuses = file.assertionResults.map((test) => test.status);
    const failed = statuses.filter((status) => status === "failed").length;
    counts.passed += statuses.filter((status) => status === "passed").length;
    counts.failed += file.status === "failed" && failed === 0 ? 1 : failed;
    counts.skipped += statuses.filter((status) => status !== "passed" && status !== "failed").length;
  }
  return counts;
}
