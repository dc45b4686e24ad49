export { type Mark, type RefusalReason, admit, markOf } from "./admission.js";
export {
  type Documents,
  type PassDecision,
  type ProxyFacts,
  type Reading,
  decide,
  readSnapshot,
} from "./decide.js";
export { type Wanted, type WantedRow, desired } from "./desired.js";
export { EXIT_CODES } from "./exit-codes.js";
export { Metrics } from "./metrics.js";
export { ENVIRONMENT, configSchema } from "./options.js";
export { type Conflict, type OwnershipFacts, conflicts } from "./ownership.js";
export { type Layers, type Plan, type Step, plan, runtimeDifferences, writersIn } from "./plan.js";
export { ADMIN_ERROR_CODES } from "./proxysql/admin-error.js";
export { statementsOf } from "./proxysql/sql.js";
export type { ServerRow, Status } from "./rows.js";
