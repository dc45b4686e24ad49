import { NotUnderstood } from "../errors.js";
import { type Expression, parseExpression } from "./expression.js";
import type { Assignment, MasterChange, Shown, Statement } from "./statement.js";
import type { Tokens } from "./tokens.js";

/** After SET. */
export function parseSet(tokens: Tokens): Statement {
  if (tokens.takeWords("NAMES")) {
    const assignment: Assignment = { target: "session", name: "names", value: parseSetValue(tokens) };
    return { kind: "set", assignments: [assignment] };
  }
  return { kind: "set", assignments: tokens.list(() => parseAssignment(tokens)) };
}

/** After SHOW. */
export function parseShow(tokens: Tokens): Statement {
  for (const [words, what] of SHOWN) {
    if (!tokens.takeWords(...words)) continue;
    const like = tokens.takeWords("LIKE") ? tokens.needText() : undefined;
    return { kind: "show", what, like };
  }
  throw new NotUnderstood("what is to be shown");
}

/** After KILL. */
export function parseKill(tokens: Tokens): Statement {
  const what = tokens.takeWords("QUERY") ? "query" : "connection";
  if (what === "connection") tokens.takeWords("CONNECTION");
  return { kind: "kill", what, id: tokens.needNumber() };
}

/** After CHANGE MASTER TO. */
export function parseChangeMaster(tokens: Tokens): Statement {
  const change: MasterChange = {
    host: undefined,
    port: undefined,
    user: undefined,
    password: undefined,
    useGtid: undefined,
    demote: false,
    connectRetry: undefined,
  };
  tokens.list(() => {
    const option = tokens.needName().toUpperCase();
    tokens.needSign("=");
    const take = MASTER_OPTIONS[option];
    if (take === undefined) throw new NotUnderstood(`the option ${option}`);
    take(change, tokens);
  });
  return { kind: "change master", change };
}

const SHOWN: readonly (readonly [readonly string[], Shown])[] = [
  [["SLAVE", "STATUS"], "slave status"],
  [["SLAVE", "HOSTS"], "slave hosts"],
  [["MASTER", "STATUS"], "master status"],
  [["GLOBAL", "STATUS"], "status"],
  [["STATUS"], "status"],
  [["GLOBAL", "VARIABLES"], "global variables"],
  [["VARIABLES"], "variables"],
];

const MASTER_OPTIONS: Readonly<Record<string, (change: MasterChange, tokens: Tokens) => void>> = {
  MASTER_HOST: (change, tokens) => void (change.host = tokens.needText()),
  MASTER_PORT: (change, tokens) => void (change.port = tokens.needNumber()),
  MASTER_USER: (change, tokens) => void (change.user = tokens.needText()),
  MASTER_PASSWORD: (change, tokens) => void (change.password = tokens.needText()),
  MASTER_CONNECT_RETRY: (change, tokens) => void (change.connectRetry = tokens.needNumber()),
  // A master of this process says by its socket that it is gone: there is nothing to ask for between events.
  MASTER_HEARTBEAT_PERIOD: (_change, tokens) => void tokens.needNumber(),
  MASTER_DEMOTE_TO_SLAVE: (change, tokens) => void (change.demote = tokens.needNumber() === 1),
  MASTER_USE_GTID: (change, tokens) => void (change.useGtid = parseUseGtid(tokens)),
};

function parseUseGtid(tokens: Tokens): "Slave_Pos" | "Current_Pos" {
  if (tokens.takeWords("SLAVE_POS")) return "Slave_Pos";
  tokens.needWords("CURRENT_POS");
  return "Current_Pos";
}

function parseAssignment(tokens: Tokens): Assignment {
  const target = parseTarget(tokens);
  if (!tokens.takeSign("=")) throw new NotUnderstood("what is to be set");
  return { ...target, value: parseSetValue(tokens) };
}

function parseTarget(tokens: Tokens): Pick<Assignment, "target" | "name"> {
  const user = tokens.takeUserVariable();
  if (user !== undefined) return { target: "user", name: user };
  const system = tokens.takeSystemVariable();
  if (system !== undefined) return { target: system.scope ?? "session", name: system.name };
  const target = tokens.takeWords("GLOBAL") ? "global" : "session";
  if (target === "session" && !tokens.takeWords("SESSION")) tokens.takeWords("LOCAL");
  return { target, name: tokens.needName().toLowerCase() };
}

/** `SET autocommit = ON`: a bare word is a text here. */
function parseSetValue(tokens: Tokens): Expression {
  const value = tokens.takeWords("ON")
    ? ({ kind: "literal", value: "ON" } as const)
    : parseExpression(tokens);
  return value.kind === "column" ? { kind: "literal", value: value.name } : value;
}
