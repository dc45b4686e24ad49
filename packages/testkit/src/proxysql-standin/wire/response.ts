import { FieldReader } from "./codec.js";
import { STATUS } from "./constants.js";

/** What the packets of a response said, once it is complete. */
export interface ResponseEnd {
  /** Server status of the last OK or EOF packet; undefined when the response was an error. */
  status: number | undefined;
  affectedRows: number;
  insertId: number;
  warnings: number;
  error: { errno: number; sqlstate: string; message: string } | undefined;
}

type Phase = "header" | "columns" | "rows" | "parameters" | "prepared columns" | "done";

const EMPTY: ResponseEnd = { status: undefined, affectedRows: 0, insertId: 0, warnings: 0, error: undefined };

/**
 * Finds the end of a response (OK, ERR, result sets, or the answer to a prepare) by looking at its packets, with
 * classic EOF packets. Binary result sets of prepared statements end the same way.
 */
export class ResponseReader {
  #phase: Phase = "header";
  #end: ResponseEnd = EMPTY;
  #preparedColumns = 0;
  readonly #isPrepare: boolean;

  constructor(isPrepare: boolean) {
    this.#isPrepare = isPrepare;
  }

  /** Takes the next packet. @returns true when it was the last one. */
  feed(payload: Buffer): boolean {
    if (payload[0] === 0xff) {
      this.#end = { ...this.#end, status: undefined, error: parseError(payload) };
      this.#phase = "done";
    } else if (this.#phase === "header") {
      this.#header(payload);
    } else if (payload[0] === 0xfe && payload.length < 9) {
      this.#endOfPart(payload);
    }
    return this.#phase === "done";
  }

  get end(): ResponseEnd {
    return this.#end;
  }

  #header(payload: Buffer): void {
    if (payload[0] === 0xfe && payload.length < 9) {
      // The answer to COM_SET_OPTION.
      this.#finish({ ...EMPTY, status: new FieldReader(payload, 3).uint16() });
    } else if (payload[0] !== 0x00) {
      this.#phase = "columns";
    } else if (this.#isPrepare) {
      this.#prepared(payload);
    } else {
      this.#finish(parseOk(payload));
    }
  }

  #prepared(payload: Buffer): void {
    const fields = new FieldReader(payload, 5);
    this.#preparedColumns = fields.uint16();
    const parameters = fields.uint16();
    this.#end = EMPTY;
    if (parameters > 0) this.#phase = "parameters";
    else this.#phase = this.#preparedColumns > 0 ? "prepared columns" : "done";
  }

  #endOfPart(payload: Buffer): void {
    const fields = new FieldReader(payload, 1);
    const warnings = fields.uint16();
    const status = fields.uint16();
    if (this.#phase === "columns") this.#phase = "rows";
    else if (this.#phase === "rows") this.#finish({ ...EMPTY, status, warnings });
    else if (this.#phase === "parameters" && this.#preparedColumns > 0) this.#phase = "prepared columns";
    else {
      this.#end = { ...EMPTY, status };
      this.#phase = "done";
    }
  }

  #finish(end: ResponseEnd): void {
    this.#end = end;
    this.#phase = ((end.status ?? 0) & STATUS.MORE_RESULTS) === 0 ? "done" : "header";
  }
}

export function parseOk(payload: Buffer): ResponseEnd {
  const fields = new FieldReader(payload, 1);
  const affectedRows = fields.integer();
  const insertId = fields.integer();
  const status = fields.uint16();
  return { status, affectedRows, insertId, warnings: fields.uint16(), error: undefined };
}

export function parseError(payload: Buffer): NonNullable<ResponseEnd["error"]> {
  const fields = new FieldReader(payload, 1);
  const errno = fields.uint16();
  const text = fields.rest().toString("utf8");
  if (text.startsWith("#")) return { errno, sqlstate: text.slice(1, 6), message: text.slice(6) };
  return { errno, sqlstate: "HY000", message: text };
}
