import { type Ends, endsOf } from "./addresses.js";
import { ip } from "./iproute2.js";

/** As many as a block of addresses has. */
export const MAX_LINKS = 4;
/** Whatever is sent there belongs to nobody, and is dropped without a word. */
const NOBODY = "02:00:00:00:00:00";

/** Which way a cut link is cut: what the namespace sends, what is sent to it, or both. */
export type Direction = "outwards" | "inwards" | "both";

interface Place {
  readonly block: number;
  readonly index: number;
  /** The interfaces' names. */
  readonly outside: string;
  readonly inside: string;
}

/** A cable between a namespace and where the tests run. */
export class Link {
  readonly #namespace: string;
  readonly #place: Place;
  readonly #ends: Ends;

  private constructor(namespace: string, place: Place) {
    this.#namespace = namespace;
    this.#place = place;
    this.#ends = endsOf(place.block, place.index);
  }

  /** @throws when it can't be made */
  static create(namespace: string, place: Place): Link {
    const link = new Link(namespace, place);
    const { outside, inside } = place;
    ip([
      `link add ${outside} address ${link.#hardware.outside} type veth ` +
        `peer name ${inside} address ${link.#hardware.inside} netns ${namespace}`,
      `address add ${link.#ends.outside}/31 dev ${outside}`,
      `link set ${outside} up`,
    ]);
    ip([`address add ${link.#ends.inside}/31 dev ${inside}`, `link set ${inside} up`], namespace);
    link.mend();
    return link;
  }

  /** By which the namespace reaches where the tests run. */
  get outsideAddress(): string {
    return this.#ends.outside;
  }

  /** By which the namespace is reached. */
  get insideAddress(): string {
    return this.#ends.inside;
  }

  /**
   * Loses every packet without anybody being told: both interfaces stay up, no route goes, no ICMP comes, so that
   * connections hang, old and new, until somebody's own limit is over. A link that is set down, or a route that says
   * "unreachable", would be noticed at once.
   */
  cut(direction: Direction = "both"): void {
    if (direction !== "inwards") this.#insideSendsTo(NOBODY);
    if (direction !== "outwards") this.#outsideSendsTo(NOBODY);
  }

  mend(): void {
    this.#insideSendsTo(this.#hardware.outside);
    this.#outsideSendsTo(this.#hardware.inside);
  }

  get #hardware(): Ends {
    const { block, index } = this.#place;
    const bytes = [block >> 8, block & 255, index]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join(":");
    return { outside: `02:01:${bytes}:01`, inside: `02:01:${bytes}:02` };
  }

  #insideSendsTo(hardware: string): void {
    ip([neighbour(this.#ends.outside, hardware, this.#place.inside)], this.#namespace);
  }

  #outsideSendsTo(hardware: string): void {
    ip([neighbour(this.#ends.inside, hardware, this.#place.outside)]);
  }
}

function neighbour(address: string, hardware: string, device: string): string {
  return `neighbour replace ${address} lladdr ${hardware} nud permanent dev ${device}`;
}
