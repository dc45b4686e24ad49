import { type Paint, type View, paint, renderView } from "./view.js";

/** Where the demo shows itself: a table that is drawn over on a terminal, lines when something changes elsewhere. */
export class Screen {
  readonly brush: Paint;
  readonly #terminal: boolean;
  #drawn = 0;
  #last = "";

  constructor(private readonly out: NodeJS.WriteStream) {
    this.#terminal = out.isTTY && process.env["NO_COLOR"] === undefined;
    this.brush = paint(this.#terminal);
  }

  /** A line that stays. */
  say(text: string): void {
    this.#drawn = 0;
    this.out.write(`${text}\n`);
  }

  show(view: View): void {
    if (this.#terminal) this.#draw(renderView(view, this.brush));
    else this.#change(view);
  }

  /** What is on the screen stays there. */
  keep(): void {
    this.#drawn = 0;
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\u001b[${String(this.#drawn)}A` : "";
    this.out.write(up + lines.map((line) => `\u001b[2K${line}\n`).join(""));
    this.#drawn = lines.length;
  }

  #change(view: View): void {
    const proxies = view.proxies.map(
      (one) => `${one.name} -> ${one.writers === null ? "?" : one.writers.join(" AND ") || "nobody"}`,
    );
    const line = `${view.act} | record ${view.record ?? "none"} | ${proxies.join(" | ")}`;
    if (line === this.#last) return;
    this.#last = line;
    this.out.write(`  [${view.seconds.toFixed(1).padStart(5)} s] ${line}\n`);
  }
}
