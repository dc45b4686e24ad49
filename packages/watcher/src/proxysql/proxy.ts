import { type Probe, probeAsksForComparison } from "../drift.js";
import type { Mark } from "../admission.js";
import type { OwnershipFacts } from "../ownership.js";
import type { Hostgroups } from "../rows.js";
import type { Admin } from "./admin.js";
import { readOwnership, readProbe, readStamps } from "./read.js";

/** What is known of one ProxySQL beyond the rows, read at every full comparison and kept in between. */
export interface KnownFacts {
  readonly ownership: OwnershipFacts;
  readonly stamps: ReadonlyMap<string, Mark>;
}

/**
 * One ProxySQL, shared by all clusters of a watcher: the kept connection, the last probe, and the facts that change
 * seldom. Whoever uses it goes through `admin.exclusively`.
 */
export class Proxy {
  /** By cluster, the probe that was read just before its rows were last compared; null: there is no checksum. */
  readonly #probes = new Map<string, Probe | null>();
  #facts: KnownFacts | null = null;
  #factsOfConnection = 0;
  readonly #claims: Map<string, Hostgroups>;

  /** `claims`: the hostgroups in which clusters that are followed here were last applied, also by the process before. */
  constructor(
    readonly admin: Admin,
    claims: Iterable<readonly [string, Hostgroups]> = [],
  ) {
    this.#claims = new Map(claims);
  }

  /**
   * The facts, read anew when asked for and on every new connection: behind one there may be a ProxySQL that was
   * restarted, or another one. Where they are, the rows of `cluster` are to be compared next.
   */
  async facts(cluster: string, anew: boolean): Promise<KnownFacts> {
    // The probe comes first: what changes after it changes the next one.
    if (this.#facts === null || anew || this.#factsOfConnection !== this.admin.connects) {
      await this.noteProbe(cluster);
      this.#facts = { ownership: await readOwnership(this.admin), stamps: await readStamps(this.admin) };
      this.#factsOfConnection = this.admin.connects;
    }
    return this.#facts;
  }

  /** Are the facts from this very connection? If not, the next pass is a full comparison. */
  get factsAreCurrent(): boolean {
    return this.#facts !== null && this.#factsOfConnection === this.admin.connects && this.admin.connects > 0;
  }

  /** The hostgroups of the clusters that have been applied here. */
  get claims(): ReadonlyMap<string, Hostgroups> {
    return this.#claims;
  }

  claim(cluster: string, hostgroups: Hostgroups): void {
    this.#claims.set(cluster, hostgroups);
  }

  noteStamp(cluster: string, mark: Mark): void {
    if (this.#facts === null) return;
    this.#facts = { ...this.#facts, stamps: new Map(this.#facts.stamps).set(cluster, mark) };
  }

  /**
   * Takes the present probe as "compared" for one cluster: to be called just before the runtime is read. For that one
   * only: its LOAD has published whatever lay in the memory, also in the hostgroups of the others.
   */
  async noteProbe(cluster: string): Promise<void> {
    this.#probes.set(cluster, await readProbe(this.admin));
  }

  /** Has anything changed since any cluster was last compared? `unknown`: this ProxySQL keeps no checksum. */
  async hasChanged(): Promise<"same" | "changed" | "restarted" | "unknown"> {
    const connects = this.admin.connects;
    const now = await readProbe(this.admin);
    if (now === null) return "unknown";
    if (this.admin.connects !== connects && connects > 0) return "restarted";
    const compared = [...this.#probes.values()];
    if (compared.some((one) => one !== null && now.version < one.version)) return "restarted";
    const same = compared.length > 0 && compared.every((one) => !probeAsksForComparison(one, now));
    return same ? "same" : "changed";
  }
}
