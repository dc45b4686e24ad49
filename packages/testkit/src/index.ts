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
