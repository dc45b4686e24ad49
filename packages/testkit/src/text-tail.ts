/** Keeps the newest `limit` characters of a text that grows without end. */
export class TextTail {
  #text = "";
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get text(): string {
    return this.#text.slice(-this.#limit);
  }

  add(more: string): void {
    this.#text += more;
    // Cutting only at twice the limit keeps the cost of many small additions linear.
    if (this.#text.length > 2 * this.#limit) this.#text = this.#text.slice(-this.#limit);
  }
}
