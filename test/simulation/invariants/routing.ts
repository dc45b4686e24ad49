import { type MasterRecord, leaseBoundMs } from "@primacy/contract";
import type { Scenario } from "../scenario.js";
import type { Engine } from "../world/engine.js";
import { SERVERS, bitOf, namesOf } from "../world/servers.js";
import { type KnownRecord, type Watched, broken } from "./watched.js";

/** A statement that is under way cannot be called back. */
const IN_FLIGHT_MS = 250;

/**
 * How long a proxy that can reach Consul may need to follow, with one time-out of everything in its way. Milliseconds.
 */
const FOLLOW_MS = 15_000;

/** What a proxy that is well needs to end a drain whose time is over; the writer counts on it. Milliseconds. */
const AFTER_DRAIN_MS = 3000;

/**
 * By then a proxy that reaches Consul has learned of a record, also where the answer that was to wake it was lost: the
 * next consistent read comes within 6.25 s, and one time-out may be in its way. Milliseconds.
 */
const LEARN_MS = 9000;

/**
 * A machine that was frozen goes on from where it was, and its ProxySQL with it: nobody there can know better before the
 * clock has been set. Then the watcher's next look and the guard's next run are due within a second. Milliseconds.
 */
const WAKING_MS = 2500;

/** Where writes go on each proxy; looked at after every step. */
export class RoutingInvariants {
  /** When the record last let each server take writes. True milliseconds; never before. */
  readonly #permittedAt = SERVERS.map(() => Number.NEGATIVE_INFINITY);
  #permitted = 0;
  /** Former masters: a new one opened after a fence that was complete. */
  #closed = 0;
  readonly #boundMs: number;
  readonly #clockBackMs: number;
  readonly #drainMs: number;
  readonly #lease: boolean;
  /** When a drain is over, and everybody knows of it. True milliseconds. */
  #drainEndsAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly engine: Engine,
    scenario: Scenario,
    private readonly proxies: readonly Watched[],
  ) {
    const { onConsulLoss, leaseSeconds } = scenario.layout.value;
    this.#lease = onConsulLoss === "lease";
    this.#clockBackMs = scenario.clockBackMs;
    this.#boundMs = leaseBoundMs(leaseSeconds) + scenario.clockBackMs;
    this.#drainMs = scenario.layout.value.drainSeconds * 1000;
  }

  /** A record was committed. */
  committed(record: MasterRecord): void {
    this.#remember();
    this.#permitted = record.phase === "fenced" ? 0 : bitOf(record.master);
    this.#closed &= ~this.#permitted;
    this.#drainEndsAt =
      record.phase === "draining"
        ? this.engine.now + Math.max(this.#drainMs, LEARN_MS)
        : Number.POSITIVE_INFINITY;
  }

  /** The new master takes writes from now on. */
  opened(outgoing: number, fence: MasterRecord | null): void {
    if (fence === null) return;
    const bit = 1 << outgoing;
    // An operator, or the end of its deadline, may have given the old one back in the meantime.
    if ((this.#permitted & bit) === 0) this.#closed |= bit;
    this.check();
  }

  /** A record is put into force on a proxy. */
  applied(watched: Watched, generation: number, known: KnownRecord | null): void {
    const knownMs = this.engine.now - Math.max(known?.atMs ?? 0, watched.awakeSinceMs);
    if (known !== null && known.generation > generation && knownMs > IN_FLIGHT_MS) {
      this.#broken(
        "nobody lets writes through by a record known to be old",
        `${watched.proxysql.name} applies ${generation} and has read ${known.generation}`,
      );
    }
    if (generation < watched.highestApplied) {
      this.#broken(
        "generation only rises on each proxy",
        `${watched.proxysql.name} had ${watched.highestApplied}, applies ${generation}`,
      );
    }
    watched.highestApplied = generation;
  }

  /** An old transaction came to life again. */
  revived(watched: Watched, server: string): void {
    this.#broken(
      "no transaction lives again",
      `${watched.proxysql.name} brings back ${server} over its old sessions`,
    );
  }

  /** After every step. */
  check(): void {
    this.#remember();
    for (const watched of this.proxies) {
      const { routes, inMemory, name } = watched.proxysql;
      if ((inMemory & (inMemory - 1)) !== 0) {
        this.#broken("at most one writer, whoever loads", `${name} has ${namesOf(inMemory)} in memory`);
      }
      if ((routes | inMemory) === 0 || watched.frozen) continue;
      if ((routes & (routes - 1)) !== 0 && this.#online(watched) > 1) {
        this.#broken("at most one writer", `${name} routes to ${namesOf(routes)}`);
      }
      // What lies in memory is one LOAD away, by anybody.
      if (this.engine.now - watched.awakeSinceMs < WAKING_MS) continue;
      if (this.#lease) this.#checkBound(name, inMemory & ~this.#permitted);
      const astray = routes & ~this.#permitted;
      if (astray !== 0) this.#checkAstray(watched, astray);
      else if (this.engine.now > this.#drainEndsAt + AFTER_DRAIN_MS) this.#checkDrain(watched);
    }
  }

  /** What a restart would bring, where a lease forbids a writer on disk. */
  checkRestart(watched: Watched): void {
    if (this.#lease && watched.proxysql.routes !== 0) {
      this.#broken("the disk has no writer under a lease", `${watched.proxysql.name} starts with one`);
    }
  }

  #checkAstray(watched: Watched, astray: number): void {
    const { now } = this.engine;
    const { name } = watched.proxysql;
    if (this.#lease) this.#checkBound(name, astray);
    const reaches = now - watched.goodSinceMs > FOLLOW_MS;
    const good = reaches && now - watched.answersSinceMs > FOLLOW_MS;
    for (let place = 0; place < SERVERS.length; place++) {
      if ((astray & (1 << place)) === 0) continue;
      const forMs = now - Math.max(this.#permittedAt[place]!, 0);
      const excused = this.#clockBackMs > 0 && forMs <= this.#boundMs;
      if ((this.#closed & (1 << place)) !== 0 && (this.#lease || reaches) && !excused) {
        this.#broken("nobody writes to a former master", `${name} routes to ${SERVERS[place]!.host}`);
      }
      if (good && forMs > FOLLOW_MS) {
        this.#broken(
          "whoever reaches Consul follows",
          `${name} routes to ${SERVERS[place]!.host} ${forMs.toFixed(0)} ms after`,
        );
      }
    }
  }

  #checkBound(name: string, astray: number): void {
    if (astray === 0) return;
    for (let place = 0; place < SERVERS.length; place++) {
      if ((astray & (1 << place)) === 0) continue;
      const forMs = this.engine.now - Math.max(this.#permittedAt[place]!, 0);
      if (forMs > this.#boundMs) {
        const host = SERVERS[place]!.host;
        this.#broken(
          "a lease bounds every proxy",
          `${name} routes, or may, to ${host} ${forMs.toFixed(0)} ms after`,
        );
      }
    }
  }

  #checkDrain(watched: Watched): void {
    const { now } = this.engine;
    const sinceMs = Math.max(watched.goodSinceMs, watched.answersSinceMs);
    if (now - sinceMs > FOLLOW_MS) {
      this.#broken(
        "a drain ends",
        `${watched.proxysql.name} still routes to ${namesOf(watched.proxysql.routes)}`,
      );
    }
  }

  #remember(): void {
    for (let place = 0; place < SERVERS.length; place++) {
      if ((this.#permitted & (1 << place)) !== 0) this.#permittedAt[place] = this.engine.now;
    }
  }

  #online({ proxysql }: Watched): number {
    return proxysql.runtime.filter((row) => row.status === "ONLINE").length;
  }

  #broken(invariant: string, detail: string): never {
    broken(this.engine, invariant, detail);
  }
}
