import { NotUnderstood, notUnderstood, SqlError } from "../errors.js";
import { parseInsert, parseSelect } from "./parse-data.js";
import { parseCreate, parseGrant } from "./parse-definition.js";
import { parseChangeMaster, parseKill, parseSet, parseShow } from "./parse-server.js";
import type { Statement } from "./statement.js";
import { Tokens } from "./tokens.js";

/** How statements begin. */
const PARSERS: readonly (readonly [readonly string[], (tokens: Tokens) => Statement])[] = [
  [["SELECT"], parseSelect],
  [["INSERT", "INTO"], parseInsert],
  [["CREATE"], parseCreate],
  [["GRANT"], parseGrant],
  [["START", "TRANSACTION"], () => ({ kind: "begin" })],
  [["BEGIN"], () => ({ kind: "begin" })],
  [["COMMIT"], () => ({ kind: "commit" })],
  [["ROLLBACK"], () => ({ kind: "rollback" })],
  [["SET"], parseSet],
  [["USE"], (tokens) => ({ kind: "use", database: tokens.needName() })],
  [["KILL"], parseKill],
  [["SHOW"], parseShow],
  [["START", "SLAVE"], () => ({ kind: "start slave" })],
  [["STOP", "SLAVE"], () => ({ kind: "stop slave" })],
  [["RESET", "SLAVE", "ALL"], () => ({ kind: "reset slave all" })],
  [["CHANGE", "MASTER", "TO"], parseChangeMaster],
];

/**
 * Reads one statement.
 *
 * @throws {SqlError} 1064 with the statement, where it is none of those that the stand-in knows; 1065 for an empty one
 */
export function parseStatement(sql: string): Statement {
  try {
    const tokens = new Tokens(sql);
    if (tokens.isEmpty) throw new SqlError(1065, "Query was empty");
    const parser = PARSERS.find(([words]) => tokens.takeWords(...words))?.[1];
    if (parser === undefined) throw new NotUnderstood(`it begins with ${tokens.nextWord ?? "no word"}`);
    const statement = parser(tokens);
    tokens.needEnd();
    return statement;
  } catch (error) {
    if (error instanceof NotUnderstood) throw notUnderstood(sql, error.message);
    throw error;
  }
}
