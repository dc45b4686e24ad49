import { NotUnderstood } from "../errors.js";
import { parseExpression } from "./expression.js";
import { parseTableName } from "./parse-data.js";
import type { Column, ColumnType, CreateTable, CreateUser, Definition, Grant } from "./statement.js";
import type { Tokens } from "./tokens.js";

/** After CREATE. */
export function parseCreate(tokens: Tokens): Definition {
  const orReplace = tokens.takeWords("OR", "REPLACE");
  if (tokens.takeWords("FUNCTION")) return parseFunction(tokens, orReplace);
  if (tokens.takeWords("USER")) return parseUser(tokens, orReplace);
  if (!orReplace && tokens.takeWords("TABLE")) return parseTable(tokens);
  if (!orReplace && tokens.takeWords("DATABASE")) {
    const ifNotExists = tokens.takeWords("IF", "NOT", "EXISTS");
    return { kind: "create database", ifNotExists, database: tokens.needName() };
  }
  throw new NotUnderstood("what is to be created");
}

/** After GRANT. */
export function parseGrant(tokens: Tokens): Grant {
  const privileges = tokens.takeWords("ALL") ? parseAll(tokens) : tokens.list(() => parsePrivilege(tokens));
  tokens.needWords("ON");
  const database = tokens.takeSign("*") ? undefined : tokens.needName();
  tokens.needSign(".");
  tokens.needSign("*");
  tokens.needWords("TO");
  const user = parseAccountName(tokens);
  if (tokens.takeWords("WITH", "GRANT", "OPTION")) privileges.push("GRANT OPTION");
  return { kind: "grant", privileges, database, user };
}

function parseTable(tokens: Tokens): CreateTable {
  const ifNotExists = tokens.takeWords("IF", "NOT", "EXISTS");
  const table = parseTableName(tokens);
  tokens.needSign("(");
  const parts = tokens.list(() => parseColumnOrKey(tokens));
  tokens.needSign(")");
  if (tokens.takeWords("ENGINE")) {
    tokens.takeSign("=");
    tokens.needWords("INNODB");
  }
  const columns = parts.filter((part) => part !== "key");
  return { kind: "create table", table, ifNotExists, columns };
}

/** A key that need not be unique changes no result: it is read and forgotten. */
function parseColumnOrKey(tokens: Tokens): Column | "key" {
  if (tokens.takeWords("KEY") || tokens.takeWords("INDEX")) {
    if (!tokens.takeSign("(")) {
      tokens.needName();
      tokens.needSign("(");
    }
    tokens.list(() => tokens.needName());
    tokens.needSign(")");
    return "key";
  }
  const name = tokens.needName();
  const type = parseType(tokens);
  const notNull = tokens.takeWords("NOT", "NULL");
  if (!notNull) tokens.takeWords("NULL");
  const byDefault = tokens.takeWords("DEFAULT") ? parseExpression(tokens) : undefined;
  return { name, type, notNull, byDefault };
}

function parseType(tokens: Tokens): ColumnType {
  if (tokens.takeWords("VARCHAR")) return { kind: "text", length: parseLength(tokens) };
  if (tokens.takeWords("TIMESTAMP")) {
    if (parseLength(tokens) !== 6) throw new NotUnderstood("a TIMESTAMP without microseconds");
    return { kind: "timestamp" };
  }
  if (tokens.takeWords("BIGINT") || tokens.takeWords("INT")) {
    return { kind: "integer", unsigned: tokens.takeWords("UNSIGNED") };
  }
  throw new NotUnderstood("a column's type");
}

function parseLength(tokens: Tokens): number {
  tokens.needSign("(");
  const length = tokens.needNumber();
  tokens.needSign(")");
  return length;
}

function parseFunction(tokens: Tokens, orReplace: boolean): Definition {
  const name = parseTableName(tokens);
  tokens.needSign("(");
  tokens.needSign(")");
  tokens.needWords("RETURNS");
  parseType(tokens);
  tokens.needWords("NO", "SQL");
  tokens.needWords("RETURN");
  return { kind: "create function", function: name, orReplace, body: parseExpression(tokens) };
}

function parseUser(tokens: Tokens, orReplace: boolean): CreateUser {
  const user = parseAccountName(tokens);
  tokens.needWords("IDENTIFIED", "BY");
  return { kind: "create user", user, password: tokens.needText(), orReplace };
}

/** `'user'@'%'`: accounts of the stand-in may come from anywhere. */
function parseAccountName(tokens: Tokens): string {
  const user = tokens.needText();
  tokens.needSign("@");
  if (tokens.needText() !== "%") throw new NotUnderstood("an account that may come from some hosts only");
  return user;
}

function parseAll(tokens: Tokens): string[] {
  tokens.takeWords("PRIVILEGES");
  return ["ALL"];
}

/** Old names of privileges, and the names that MariaDB 10.5 and later say in errors. */
const TODAYS_NAMES: Readonly<Record<string, string>> = {
  "REPLICATION CLIENT": "BINLOG MONITOR",
  "REPLICA MONITOR": "SLAVE MONITOR",
  "REPLICATION REPLICA": "REPLICATION SLAVE",
  "REPLICATION REPLICA ADMIN": "REPLICATION SLAVE ADMIN",
};

function parsePrivilege(tokens: Tokens): string {
  const words: string[] = [];
  while (tokens.nextWord !== undefined && tokens.nextWord !== "ON") words.push(tokens.needName());
  const name = words.join(" ").toUpperCase();
  if (name === "") throw new NotUnderstood("a privilege without a name");
  return TODAYS_NAMES[name] ?? name;
}
