import { NotUnderstood } from "../errors.js";

/** A piece of a statement. `start` and `end` are offsets in its text. */
type Token = { start: number; end: number } & (
  | { kind: "word" | "quoted name" | "text" | "user variable" | "sign"; text: string }
  | { kind: "number"; value: number }
  | { kind: "system variable"; scope: VariableScope | undefined; text: string }
);

/** Whose value of a system variable is meant. */
export type VariableScope = "global" | "session";

const BLANK = /(?:\s+|--[ \t][^\n]*|#[^\n]*|\/\*(?!!)[\s\S]*?\*\/)+/y;
const NUMBER = /\d+(?:\.\d+)?(?!\w)/y;
const TEXT = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/y;
const QUOTED_NAME = /`(?:[^`]|``)+`/y;
const SYSTEM_VARIABLE = /@@(?:(global|session|local)\.)?(\w+)/iy;
const USER_VARIABLE = /@(\w+)/y;
const WORD = /[A-Za-z_]\w*/y;
const SIGN = /<>|[<>!]=|[(),.;=<>+\-*/%@]/y;

const ESCAPES: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", b: "\b" };

/** The pieces of one statement, taken one after another. Every `need…` throws {@link NotUnderstood} for something else. */
export class Tokens {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @throws {NotUnderstood} for characters that are no part of any statement known here */
  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = tokensOf(sql);
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  /** The statement ends here, with or without a semicolon. */
  needEnd(): void {
    this.takeSign(";");
    const token = this.#peek();
    if (token !== undefined) throw this.#unexpected();
  }

  /** Takes these words if they all come next, in any case of letters. */
  takeWords(...words: string[]): boolean {
    const here = this.#tokens.slice(this.#at, this.#at + words.length);
    const found = words.every((word, index) => {
      const token = here[index];
      return token?.kind === "word" && token.text.toUpperCase() === word;
    });
    if (found) this.#at += words.length;
    return found;
  }

  needWords(...words: string[]): void {
    if (!this.takeWords(...words)) throw this.#unexpected();
  }

  takeSign(sign: string): boolean {
    const token = this.#peek();
    const found = token?.kind === "sign" && token.text === sign;
    if (found) this.#at += 1;
    return found;
  }

  needSign(sign: string): void {
    if (!this.takeSign(sign)) throw this.#unexpected();
  }

  /** The next piece if it is a word, in upper case, not taken. */
  get nextWord(): string | undefined {
    const token = this.#peek();
    return token?.kind === "word" ? token.text.toUpperCase() : undefined;
  }

  /** A name, in backticks or bare. */
  needName(): string {
    const name = this.takeName();
    if (name === undefined) throw this.#unexpected();
    return name;
  }

  takeName(): string | undefined {
    return this.#take("word") ?? this.#take("quoted name");
  }

  takeText(): string | undefined {
    return this.#take("text");
  }

  needText(): string {
    const text = this.takeText();
    if (text === undefined) throw this.#unexpected();
    return text;
  }

  takeUserVariable(): string | undefined {
    return this.#take("user variable");
  }

  takeNumber(): number | undefined {
    const token = this.#peek();
    if (token?.kind !== "number") return undefined;
    this.#at += 1;
    return token.value;
  }

  needNumber(): number {
    const value = this.takeNumber();
    if (value === undefined) throw this.#unexpected();
    return value;
  }

  takeSystemVariable(): { name: string; scope: VariableScope | undefined } | undefined {
    const token = this.#peek();
    if (token?.kind !== "system variable") return undefined;
    this.#at += 1;
    return { name: token.text, scope: token.scope };
  }

  /** `one, two, three`: what `read` reads, at least once. */
  list<T>(read: () => T): T[] {
    const items = [read()];
    while (this.takeSign(",")) items.push(read());
    return items;
  }

  /** Offset of the next piece. */
  get offset(): number {
    return this.#peek()?.start ?? this.#sql.length;
  }

  /** The statement's text from an offset to the end of the piece that was taken last. */
  textFrom(offset: number): string {
    return this.#sql.slice(offset, this.#tokens[this.#at - 1]?.end);
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #take(kind: "word" | "quoted name" | "text" | "user variable"): string | undefined {
    const token = this.#peek();
    if (token?.kind !== kind) return undefined;
    this.#at += 1;
    return token.text;
  }

  #unexpected(): NotUnderstood {
    const token = this.#peek();
    return new NotUnderstood(
      token === undefined ? "it ends too early" : `near '${this.#sql.slice(token.start, token.start + 40)}'`,
    );
  }
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length;) {
    const blank = matchAt(BLANK, sql, at);
    if (blank !== undefined) {
      at += blank[0].length;
      continue;
    }
    const token = tokenAt(sql, at);
    if (token === undefined) throw new NotUnderstood(`near '${sql.slice(at, at + 40)}'`);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(sql: string, start: number): Token | undefined {
  const range = (found: RegExpExecArray) => ({ start, end: start + found[0].length });
  const text = matchAt(TEXT, sql, start);
  if (text) return { kind: "text", text: unescaped(text[0]), ...range(text) };
  const number = matchAt(NUMBER, sql, start);
  if (number) return { kind: "number", value: Number(number[0]), ...range(number) };
  const quoted = matchAt(QUOTED_NAME, sql, start);
  if (quoted) {
    return { kind: "quoted name", text: quoted[0].slice(1, -1).replaceAll("``", "`"), ...range(quoted) };
  }
  const system = matchAt(SYSTEM_VARIABLE, sql, start);
  if (system) {
    const [, named = "", name = ""] = system;
    const scope = named === "" ? undefined : named.toLowerCase() === "global" ? "global" : "session";
    return { kind: "system variable", scope, text: name.toLowerCase(), ...range(system) };
  }
  const user = matchAt(USER_VARIABLE, sql, start);
  if (user) return { kind: "user variable", text: (user[1] ?? "").toLowerCase(), ...range(user) };
  const word = matchAt(WORD, sql, start);
  if (word) return { kind: "word", text: word[0], ...range(word) };
  const sign = matchAt(SIGN, sql, start);
  return sign && { kind: "sign", text: sign[0], ...range(sign) };
}

function matchAt(pattern: RegExp, sql: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql) ?? undefined;
}

function unescaped(literal: string): string {
  const quote = literal.slice(0, 1);
  return literal
    .slice(1, -1)
    .replaceAll(/\\([\s\S])|''|""/g, (whole: string, escaped: string | undefined) => {
      if (escaped !== undefined) return ESCAPES[escaped] ?? escaped;
      return whole === quote + quote ? quote : whole;
    });
}
