import type { Engine } from "./engine.js";
import type { Process } from "./host.js";

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

/** Between one host and Consul: slow at times, loses what it likes, or is cut. */
export class Link {
  cut = false;
  /** Requests that change something are refused: a token without the right, a quorum that is lost. */
  deniesWrites = false;
  /** Requests that read get no answer. */
  losesReads = false;
  lossy = false;
  slow = false;
  /** Everything takes its time, and arrives. */
  lagging = false;

  constructor(
    readonly name: string,
    readonly engine: Engine,
  ) {}

  delayMs(): number {
    const { random } = this.engine;
    if (this.lagging) return random.between(200, 900);
    if (this.slow && random.chance(0.5)) return random.between(100, 4000);
    return random.chance(0.02) ? random.between(5, 150) : random.between(0.2, 2);
  }

  loses(): boolean {
    return this.cut || (this.lossy && this.engine.random.chance(0.4));
  }
}

/** How a request reaches Consul. `serve` runs at Consul, at the moment at which the request takes effect. */
export interface Request<T> {
  readonly serve: (reply: (value: T) => void) => void;
  /** Can it take effect although nobody waits for it any more? Then it may, much later. */
  readonly isWrite: boolean;
  readonly timeoutMs: number;
}

/** Consul as the network sees it: ready, or without a leader. */
export interface Arrival {
  /** Runs `serve` now, later, or never. */
  arrive(serve: () => void): void;
}

/** A request was given up after 20 s at most when its packets were held up (observed). Milliseconds. */
const LATEST_MS = 20_000;

/** Who asks, over which link, and whom. */
export interface Route {
  readonly process: Process;
  readonly link: Link;
  readonly consul: Arrival;
}

/** Sends a request; `done` runs once, in the same process, with the answer or without one. */
export function call<T>(route: Route, request: Request<T>, done: (answer: Answer<T>) => void): void {
  const { process, link, consul } = route;
  const { engine } = link;
  const { random } = engine;
  process.noteCall(request.isWrite ? "write" : "read");
  let settled = false;
  const settle = (answer: Answer<T>): void => {
    if (settled) return;
    settled = true;
    timer.cancel();
    done(answer);
  };
  const timer = process.after(request.timeoutMs, () => {
    settle({ ok: false });
  });
  // Made now: an answer to a process that has died since is nobody's.
  let value: { readonly of: T } | null = null;
  const receive = process.receiver(() => {
    if (value !== null) settle({ ok: true, value: value.of });
  });
  const arrive = (): void => {
    consul.arrive(() => {
      request.serve((of) => {
        // Whoever is stopped may find that its connection has been given up.
        if (link.loses() || (process.paused && random.chance(0.3))) {
          engine.seen.note("answer lost");
          return;
        }
        value ??= { of };
        engine.after(link.delayMs(), receive);
      });
    });
  };
  if (request.isWrite ? link.deniesWrites : link.losesReads) return;
  if (link.loses()) {
    // Held up somewhere: a router's queue, a proxy that connects again.
    engine.seen.note("request lost");
    if (request.isWrite && random.chance(0.4)) {
      engine.seen.note("write that arrives late");
      engine.after(random.between(50, LATEST_MS), arrive);
    }
    return;
  }
  engine.after(link.delayMs(), arrive);
}
