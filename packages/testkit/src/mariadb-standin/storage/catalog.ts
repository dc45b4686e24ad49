import { SqlError } from "../errors.js";
import type { Expression } from "../sql/expression.js";
import type { CreateFunction, CreateTable, Definition, Name } from "../sql/statement.js";
import { Accounts } from "./accounts.js";
import type { InsertedRows } from "./change.js";
import { type Table, tableKey } from "./table.js";

/** Databases with their tables and functions, and the accounts: what is on a server's disk. */
export class Catalog {
  readonly accounts = new Accounts();
  readonly #databases = new Set<string>();
  readonly #tables = new Map<string, Table>();
  readonly #functions = new Map<string, Expression>();

  /** @throws {SqlError} 1049 */
  needDatabase(name: string): void {
    if (!this.#databases.has(name)) throw new SqlError(1049, `Unknown database '${name}'`);
  }

  /** @throws {SqlError} 1146 */
  needTable(database: string, name: string): Table {
    const table = this.#tables.get(tableKey(database, name));
    if (table === undefined) throw new SqlError(1146, `Table '${database}.${name}' doesn't exist`);
    return table;
  }

  /** What a function returns. @throws {SqlError} 1305 */
  needFunction(database: string, name: string): Expression {
    const body = this.#functions.get(tableKey(database, name.toLowerCase()));
    if (body === undefined) throw new SqlError(1305, `FUNCTION ${database}.${name} does not exist`);
    return body;
  }

  /** The tables as they are now, each with its number of rows: what a transaction sees that begins now. */
  rowCounts(): Map<Table, number> {
    return new Map([...this.#tables.values()].map((table) => [table, table.rows.length]));
  }

  insert(inserts: readonly InsertedRows[]): void {
    for (const { table, rows } of inserts) {
      const target = this.#tables.get(table);
      if (target === undefined) throw new SqlError(1146, `Table '${table}' doesn't exist`);
      target.rows.push(...rows);
    }
  }

  /**
   * @param database the session's own, for names without one
   * @returns false where nothing was to be done (IF NOT EXISTS)
   * @throws {SqlError}
   */
  define(definition: Definition, database: string): boolean {
    switch (definition.kind) {
      case "create database":
        return this.#createDatabase(definition.database, definition.ifNotExists);
      case "create table":
        return this.#createTable(definition, this.qualified(definition.table, database));
      case "create function":
        this.#createFunction(definition, this.qualified(definition.function, database));
        return true;
      case "create user":
        this.accounts.create(definition);
        return true;
      case "grant":
        this.accounts.grant(definition);
        return true;
    }
  }

  /** @throws {SqlError} 1046 where neither the name nor the session has a database */
  qualified({ database, name }: Name, own: string): { database: string; name: string } {
    const used = database ?? own;
    if (used === "") throw new SqlError(1046, "No database selected");
    return { database: used, name };
  }

  #createDatabase(name: string, ifNotExists: boolean): boolean {
    const isNew = !this.#databases.has(name);
    if (!isNew && !ifNotExists) {
      throw new SqlError(1007, `Can't create database '${name}'; database exists`);
    }
    this.#databases.add(name);
    return isNew;
  }

  #createTable({ columns, ifNotExists }: CreateTable, at: { database: string; name: string }): boolean {
    const { database, name } = at;
    this.needDatabase(database);
    const key = tableKey(database, name);
    const isNew = !this.#tables.has(key);
    if (!isNew && !ifNotExists) throw new SqlError(1050, `Table '${name}' already exists`);
    if (isNew) this.#tables.set(key, { database, name, columns, rows: [] });
    return isNew;
  }

  #createFunction({ body, orReplace }: CreateFunction, at: { database: string; name: string }): void {
    const { database, name } = at;
    this.needDatabase(database);
    const key = tableKey(database, name.toLowerCase());
    if (this.#functions.has(key) && !orReplace) throw new SqlError(1304, `FUNCTION ${name} already exists`);
    this.#functions.set(key, body);
  }
}
