import { leaveOut, serverForTests } from "../servers/found.js";
import { freeBlock } from "./addresses.js";
import { ask, ip } from "./iproute2.js";
import { Link, MAX_LINKS } from "./link.js";
import { interfaceName, namespaceName, removeLeftovers, removeNamespace } from "./remove.js";

let madeSoFar = 0;

/**
 * A host of its own: a network namespace with one link for each purpose to where the tests run. Takes root on Linux and
 * iproute2; nothing of it reaches any other interface of the machine.
 */
export class NetworkNamespace<Purpose extends string = string> {
  private constructor(
    /** As `ip netns` lists it. */
    readonly name: string,
    readonly links: Readonly<Record<Purpose, Link>>,
    /** Kills what still runs in here, and takes namespace and links away. */
    readonly remove: () => void,
  ) {}

  /** @throws when it can't be made */
  static create<Purpose extends string>(...purposes: readonly Purpose[]): NetworkNamespace<Purpose> {
    if (purposes.length > MAX_LINKS) throw new RangeError(`a namespace has ${MAX_LINKS} links at most`);
    removeLeftovers();
    madeSoFar += 1;
    const made = { pid: process.pid, count: madeSoFar };
    const name = namespaceName(made);
    const block = freeBlock(ask(["-4", "-oneline", "address"]), made.pid * 4 + made.count);
    const remove = (): void => {
      process.off("exit", remove);
      removeNamespace(made);
    };
    process.once("exit", remove);
    try {
      ip([`netns add ${name}`]);
      ip(["link set lo up"], name);
      const links = purposes.map((purpose, index) => {
        const place = { block, index, outside: interfaceName(made, index), inside: `far${index}` };
        return [purpose, Link.create(name, place)] as const;
      });
      return new NetworkNamespace(name, Object.fromEntries(links) as Record<Purpose, Link>, remove);
    } catch (error) {
      remove();
      throw error;
    }
  }
}

/** Can namespaces be made here? Where not, the last lines of a test run say why. @throws where PRIMACY_REQUIRE names iproute2 */
export function namespacesForTests(tests: string): boolean {
  if (serverForTests("iproute2", tests) === undefined) return false;
  try {
    NetworkNamespace.create("trial").remove();
    return true;
  } catch (error) {
    const [why = ""] = String(error).split("\n");
    leaveOut("iproute2", tests, `no network namespace can be made here: ${why}.`);
    return false;
  }
}
