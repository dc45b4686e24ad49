import type { Ending } from "../ending.js";
import type { Run } from "../run.js";

/**
 * Asks whether to write what was shown. Undefined: yes. Nobody at the terminal counts as a no: whoever runs this from
 * a script says --yes.
 */
export async function confirm(run: Run, question: string): Promise<Ending | undefined> {
  if (run.switches.has("yes")) return undefined;
  if (!run.terminal.interactive) {
    return { exit: "declined", line: `nothing written: "${question}" needs --yes where nobody can answer` };
  }
  const answer = await run.terminal.ask(`${question} [yes/no] `);
  return /^y(?:es)?$/i.test(answer.trim()) ? undefined : { exit: "declined", line: "nothing written" };
}
