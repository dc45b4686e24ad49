import type { Variables } from "./hook/environment.js";

/** Where a run reads and writes. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Somebody can be asked. */
  readonly interactive: boolean;
  readonly ask: (question: string) => Promise<string>;
  /** Coloured, where what it is written to is a terminal. */
  readonly paint: (colour: Colour, text: string, writtenTo?: "out" | "err") => string;
}

export type Colour = "red" | "green" | "yellow" | "bold";

const CODES: Record<Colour, number> = { bold: 1, red: 31, green: 32, yellow: 33 };

export function processTerminal(environment: Variables): Terminal {
  const colours = !environment["NO_COLOR"];
  // Whoever started us may have stopped listening; that must not end the run.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    interactive: process.stdin.isTTY && process.stdout.isTTY,
    ask,
    paint: (colour, text, writtenTo = "out") => {
      const { isTTY } = writtenTo === "out" ? process.stdout : process.stderr;
      return colours && isTTY ? `\u001b[${String(CODES[colour])}m${text}\u001b[0m` : text;
    },
  };
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const readline = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await new Promise((resolve) => {
      // Ctrl-C, Ctrl-D and the end of the terminal are answers too, and none of them is yes.
      for (const event of ["SIGINT", "close"]) readline.once(event, () => resolve(""));
      readline.question(question).then(resolve, () => resolve(""));
    });
  } finally {
    readline.close();
  }
}
