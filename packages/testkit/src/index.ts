// Waiting, ports and processes.
export { freePort, freePorts } from "./ports.js";
export {
  describeExit,
  type ProcessExit,
  type ProcessOptions,
  RunningProcess,
  startProcess,
} from "./process.js";
export { pause, type WaitOptions, WaitTimeoutError, waitUntil } from "./wait-until.js";

// Real servers.
export { Consul, type ConsulOptions, startConsul } from "./servers/consul.js";
export { ConsulServer } from "./servers/consul-server.js";
export {
  type FoundServer,
  findServer,
  isRequired,
  requireServer,
  type ServerName,
  serverForTests,
} from "./servers/found.js";
export { type Account, accounts } from "./servers/mariadb-accounts.js";
export { MariaDb, type MariaDbOptions, type Row, startMariaDb } from "./servers/mariadb.js";

// Stand-ins.
export {
  type ConsulStandIn,
  type ConsulStandInOptions,
  startConsulStandIn,
} from "./consul-standin/server.js";
