import type { Expression } from "./expression.js";

/** A table or function; without a database it is looked for in the session's own. */
export interface Name {
  database: string | undefined;
  name: string;
}

export interface SelectItem {
  /** Undefined: every column of the table. */
  value: Expression | undefined;
  /** As the column of the result is called. */
  title: string;
}

export interface Select {
  kind: "select";
  items: SelectItem[];
  from: Name | undefined;
  where: Expression | undefined;
  orderBy: { column: string; descending: boolean }[];
  limit: number | undefined;
}

export interface Insert {
  kind: "insert";
  into: Name;
  /** Undefined: all of the table, in its order. */
  columns: string[] | undefined;
  rows: Expression[][];
}

/** What a column can hold. */
export type ColumnType =
  | { kind: "integer"; unsigned: boolean }
  /** `length` in characters. */
  | { kind: "text"; length: number }
  /** With microseconds. */
  | { kind: "timestamp" };

export interface Column {
  name: string;
  type: ColumnType;
  notNull: boolean;
  /** Undefined: there is none. */
  byDefault: Expression | undefined;
}

export interface CreateTable {
  kind: "create table";
  table: Name;
  ifNotExists: boolean;
  columns: Column[];
}

export interface CreateFunction {
  kind: "create function";
  function: Name;
  orReplace: boolean;
  body: Expression;
}

export interface CreateDatabase {
  kind: "create database";
  database: string;
  ifNotExists: boolean;
}

export interface CreateUser {
  kind: "create user";
  user: string;
  password: string;
  orReplace: boolean;
}

export interface Grant {
  kind: "grant";
  /** In upper case, in today's names. ALL is every one but GRANT OPTION. */
  privileges: string[];
  /** Undefined: everywhere. */
  database: string | undefined;
  user: string;
}

/** What goes to the binary log as a statement. */
export type Definition = CreateTable | CreateFunction | CreateDatabase | CreateUser | Grant;

/** A value to be set; a bare word stands for itself. */
export interface Assignment {
  target: "user" | "session" | "global";
  /** In lower case. */
  name: string;
  value: Expression;
}

export type Shown =
  "slave status" | "slave hosts" | "master status" | "status" | "variables" | "global variables";

/** What CHANGE MASTER TO sets; what is undefined stays. */
export interface MasterChange {
  host: string | undefined;
  port: number | undefined;
  user: string | undefined;
  password: string | undefined;
  useGtid: "Slave_Pos" | "Current_Pos" | undefined;
  /** MASTER_DEMOTE_TO_SLAVE: what this server wrote itself counts as replicated. */
  demote: boolean;
  /** Seconds. */
  connectRetry: number | undefined;
}

/** Every statement that the stand-in knows. */
export type Statement =
  | Select
  | Insert
  | Definition
  | { kind: "begin" | "commit" | "rollback" }
  | { kind: "set"; assignments: Assignment[] }
  | { kind: "use"; database: string }
  | { kind: "kill"; what: "connection" | "query"; id: number }
  | { kind: "show"; what: Shown; like: string | undefined }
  | { kind: "start slave" | "stop slave" | "reset slave all" }
  | { kind: "change master"; change: MasterChange };
