import { leaveOut, serverForTests } from "../servers/found.js";
import { freeBlock } from "./addresses.js";
import { ask, ip } from "./iproute2.js";
import { Link, MAX_LINKS } from "./link.js";
import { removeLeftovers, removeNamespace } from "./remove.js";

let madeSoFar = 0;

/**
 * A host of its own: a network namespace with one link for each purpose to where the tests run. Takes root on Linux and
 * iproute2; nothing of it reaches any other interface of the machine.
 */
export class NetworkNamespace<Name extends string = string> {
  private constructor(
    /** As `ip netns` lists it. */
    readonly name: string,
    readonly links: Readonly<Record<Name, Link>>,
  ) {}

  /** @throws when it can't be made */
  static create<Name extends string>(...purposes: readonly Name[]): NetworkNamespace<Name> {
    if (purposes.length > MAX_LINKS) throw new RangeError(`a namespace has ${MAX_LINKS} links at most`);
    removeLeftovers();
    madeSoFar += 1;
    const name = `primacy-${process.pid}-${madeSoFar}`;
    const block = freeBlock(ask(["-4", "-oneline", "address"]), process.pid * 4 + madeSoFar);
    process.once("exit", () => removeNamespace(name));
    ip([`netns add ${name}`]);
    try {
      ip(["link set lo up"], name);
      const entries = purposes.map((purpose, index) => {
        const place = {
          block,
          index,
          outside: `pr${process.pid}.${madeSoFar}.${index}`,
          inside: `far${index}`,
        };
        return [purpose, Link.create(name, place)] as const;
      });
      return new NetworkNamespace(name, Object.fromEntries(entries) as Record<Name, Link>);
    } catch (error) {
      removeNamespace(name);
      throw error;
    }
  }

  /** Kills what still runs in here, and takes namespace and links away. */
  remove(): void {
    removeNamespace(this.name);
  }
}

/** Can namespaces be made here? Where not, the last lines of a test run say why. @throws where PRIMACY_REQUIRE names iproute2 */
export function namespacesForTests(tests: string): boolean {
  if (serverForTests("iproute2", tests) === undefined) return false;
  try {
    NetworkNamespace.create("trial").remove();
    return true;
  } catch (error) {
    leaveOut("iproute2", tests, `no network namespace can be made here: ${String(error)}`);
    return false;
  }
}
