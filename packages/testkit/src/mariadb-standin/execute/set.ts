import { needPrivilege } from "../access.js";
import type { Core } from "../core.js";
import { SqlError } from "../errors.js";
import type { Session } from "../session.js";
import { evaluate } from "../sql/evaluate.js";
import type { Value } from "../sql/expression.js";
import type { Assignment } from "../sql/statement.js";
import { flagValue, keepSetting, readVariable } from "../variables.js";
import { type Answer, OK } from "./answer.js";
import { sessionScope } from "./scope.js";
import { setAutocommit } from "./transaction.js";

export function set(core: Core, session: Session, assignments: readonly Assignment[]): Answer {
  for (const { target, name, value } of assignments) {
    const given = evaluate(value, sessionScope(core, session));
    if (target === "user") session.userVariables.set(name, given);
    else if (target === "global") setGlobal(core, session, name, given);
    else if (name === "autocommit") setAutocommit(core, session, flagValue(name, given));
    else keepSetting(core, session, name, given);
  }
  return OK;
}

/** read_only is the only one that can be set. */
function setGlobal(core: Core, session: Session, name: string, value: Value): void {
  // For the error where there is no such variable.
  readVariable(core, session, name, "global");
  if (name !== "read_only") {
    throw new SqlError(1064, `the MariaDB stand-in can't set the global variable '${name}'`);
  }
  needPrivilege(session, "READ_ONLY ADMIN");
  core.readOnly = flagValue(name, value);
}
