// Everything that a hook must not load: the second file of the shipped program (bundle.mjs).
import { ConsulStore } from "@primacy/consul-store";
import type { Command } from "../run.js";
import { adoptCommand as adopt } from "./adopt/command.js";
import { checkCommand as check } from "../check/command.js";
import { resolveCommand as resolve } from "./resolve-command.js";
import { agentCommand as agent } from "./run.js";
import { statusCommand as status } from "./status-command.js";

/**
 * The two files have a copy of each class: an error of one file's store is no `ConsulError` to the other. So what is
 * loaded from here uses a store from here.
 */
function withStoreOfThisFile(command: Command): Command {
  return async (run) => {
    const store = new ConsulStore(run.settings.consul);
    try {
      return await command({ ...run, store });
    } finally {
      store.close();
    }
  };
}

export const adoptCommand = withStoreOfThisFile(adopt);
export const agentCommand = withStoreOfThisFile(agent);
export const checkCommand = withStoreOfThisFile(check);
export const statusCommand = withStoreOfThisFile(status);
export const resolveCommand = withStoreOfThisFile(resolve);
