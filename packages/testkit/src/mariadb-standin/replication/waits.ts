interface Wait {
  isOver: () => boolean;
  limitMs: number;
  signal: AbortSignal;
}

/** Those who wait until a replica has come as far as they want. */
export class PositionWaits {
  readonly #looks = new Set<() => void>();

  /** The replica has moved. */
  look(): void {
    for (const look of this.#looks) look();
  }

  /** @returns false when the time is over or the wait was aborted */
  wait({ isOver, limitMs, signal }: Wait): Promise<boolean> {
    if (isOver()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (reached: boolean): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
        signal.removeEventListener("abort", abort);
        resolve(reached);
      };
      const look = (): void => {
        if (isOver()) end(true);
      };
      const abort = (): void => end(false);
      const timer = setTimeout(end, Math.max(0, limitMs), false);
      this.#looks.add(look);
      signal.addEventListener("abort", abort);
    });
  }
}
