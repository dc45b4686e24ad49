import type { Direction } from "../network/link.js";
import type { TwoSites } from "./two-sites.js";

/** Something that breaks, and is mended again. */
export interface Fault {
  /** For people. */
  readonly name: string;
  /** The proxies that no longer hear what is decided, by index. */
  readonly silences: readonly number[];
  begin(sites: TwoSites): Promise<void>;
  end(sites: TwoSites): Promise<void>;
}

/**
 * The far site hears nothing of Consul, and its ProxySQL reaches every database server. `inwards`: Consul still gets what the
 * watcher sends, and may take it for alive.
 */
export function cutOffFromConsul(direction: Direction = "both"): Fault {
  return {
    name: "cut off from Consul",
    silences: [2],
    begin: async (sites) => {
      sites.cut(["consul"], direction);
    },
    end: async (sites) => {
      sites.mend();
    },
  };
}

/**
 * The far site has a master that lives, takes writes, and has clients, and that nobody else reaches. Before the sites see
 * each other again, an administrator ends it and brings it back read-only: what had been sent to it and was lost on the way
 * would still arrive, for TCP goes on sending (a statement came 6 s later, on Linux).
 */
export function aloneWithTheMaster({ hearsConsul }: { readonly hearsConsul: boolean }): Fault {
  return {
    name: `alone with the master${hearsConsul ? "" : ", cut off from Consul"}`,
    silences: hearsConsul ? [] : [2],
    begin: async (sites) => {
      // It would wait for a replica before it commits, and so hide what is to be seen.
      await sites.farDatabase.query("SET GLOBAL rpl_semi_sync_master_enabled=0");
      sites.cut(hearsConsul ? ["databases"] : ["databases", "consul"]);
    },
    end: async (sites) => {
      await sites.farDatabase.kill9();
      sites.mend();
      await sites.farDatabase.start(true);
    },
  };
}

/** A watcher hangs; its ProxySQL does not. */
export function frozen(index: number): Fault {
  return {
    name: "watcher frozen",
    silences: [index],
    begin: async (sites) => {
      sites.watcherOf(index).suspend();
    },
    end: async (sites) => {
      sites.watcherOf(index).resume();
    },
  };
}

/** A watcher is gone without a word; its ProxySQL is not. */
export function killed(index: number): Fault {
  return {
    name: "watcher killed",
    silences: [index],
    begin: async (sites) => {
      await sites.watcherOf(index).kill9();
    },
    end: async (sites) => {
      await sites.watcherOf(index).start();
    },
  };
}

/** The Consul server that leads dies; the other two elect another one. */
export function leaderKilled(): Fault {
  let dead: Awaited<ReturnType<TwoSites["consul"]["leader"]>> | undefined;
  return {
    name: "Consul's leader killed",
    silences: [],
    begin: async ({ consul }) => {
      dead = await consul.leader();
      await dead.kill9();
    },
    end: async ({ consul }) => {
      await dead?.start();
      await consul.waitReady(undefined, 60_000);
    },
  };
}

/** All of them, in their order. */
export function allOf(...faults: readonly Fault[]): Fault {
  return {
    name: faults.map(({ name }) => name).join(", "),
    silences: faults.flatMap(({ silences }) => silences),
    begin: async (sites) => {
      for (const fault of faults) await fault.begin(sites);
    },
    end: async (sites) => {
      for (const fault of faults) await fault.end(sites);
    },
  };
}
