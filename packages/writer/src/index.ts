export { type CommitContext, type CommitOutcome, commitEvent } from "./commit.js";
export { type Ending, commitEnding } from "./ending.js";
export { EXIT_CODES, type ExitName, exitCode } from "./exit-codes.js";
export { type ClusterNames, clusterOf, parseClusterAliases } from "./hook/cluster.js";
export { HOOK_FIELDS, type HookEnvironment, readHookEnvironment } from "./hook/environment.js";
export { type HookOutcome, hookEvent } from "./hook/event.js";
export { HOOKS, type Hook, parseHook, stopsRecovery } from "./hook/name.js";
export { SETTINGS, type SettingName } from "./options.js";
export { type World, realWorld } from "./world.js";
