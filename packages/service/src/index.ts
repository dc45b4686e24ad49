export { type Health, serveHealth } from "./health.js";
export { backoffMs, jitteredMs, sleep } from "./waiting.js";
