import { needExecute } from "../access.js";
import type { Core } from "../core.js";
import { SqlError } from "../errors.js";
import type { Session } from "../session.js";
import { evaluate, type Scope } from "../sql/evaluate.js";
import type { Value } from "../sql/expression.js";
import { parseTimestamp, timestampText } from "../storage/table.js";
import { readVariable, VERSION } from "../variables.js";

type Builtin = (core: Core, session: Session, args: readonly Value[]) => Value;

const BUILTINS: Readonly<Record<string, Builtin>> = {
  connection_id: (_core, session) => session.id,
  current_timestamp: (_core, session) => timestampText(session.statementAtMs),
  current_user: (_core, session) => `${session.account.user}@%`,
  database: (_core, session) => (session.database === "" ? null : session.database),
  unix_timestamp: (_core, session, [at]) => {
    if (at === undefined) return Math.floor(session.statementAtMs / 1000);
    return at === null ? null : (parseTimestamp(at) ?? 0);
  },
  user: (_core, session) => `${session.account.user}@${session.address}`,
  version: () => VERSION,
};

/** What names mean in a statement of this session that looks at no table. `clause`: as errors call the place. */
export function sessionScope(core: Core, session: Session, clause = "SELECT"): Scope {
  const scope: Scope = {
    column: (name) => {
      throw unknownColumn(name, clause);
    },
    count: () => 1,
    systemVariable: (name, from) => readVariable(core, session, name, from),
    userVariable: (name) => session.userVariables.get(name) ?? null,
    call: (database, name, args) => {
      const builtin = database === undefined ? BUILTINS[name] : undefined;
      if (builtin !== undefined) return builtin(core, session, args);
      return callStored(core, session, { database: database ?? session.database, name }, args);
    },
  };
  return scope;
}

export function unknownColumn(name: string, clause: string): SqlError {
  return new SqlError(1054, `Unknown column '${name}' in '${clause}'`);
}

function callStored(
  core: Core,
  session: Session,
  { database, name }: { database: string; name: string },
  args: readonly Value[],
): Value {
  if (database === "") throw new SqlError(1305, `FUNCTION ${name} does not exist`);
  needExecute(session, database, name);
  const body = core.catalog.needFunction(database, name);
  if (args.length > 0) {
    const text = `Incorrect number of arguments for FUNCTION ${database}.${name}; expected 0, got ${args.length}`;
    throw new SqlError(1318, text);
  }
  return evaluate(body, sessionScope(core, session));
}
