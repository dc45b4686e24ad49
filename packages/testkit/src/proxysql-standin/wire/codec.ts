/** Reads the fields of a packet one after another. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  bytes(length: number): Buffer {
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** Text up to the next zero byte, or to the end where none follows. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end === -1) return this.rest().toString("utf8");
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** Length-encoded integer. */
  integer(): number {
    const first = this.byte();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint16();
    if (first === 0xfd) return this.#bytes.readUIntLE(this.#advance(3), 3);
    if (first === 0xfe) return Number(this.#bytes.readBigUInt64LE(this.#advance(8)));
    throw new RangeError(`0x${first.toString(16)} is no length-encoded integer`);
  }

  /** Length-encoded bytes. */
  block(): Buffer {
    return this.bytes(this.integer());
  }

  #advance(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw new RangeError("packet too short");
    this.#at = from + length;
    return from;
  }
}

/** A number as length-encoded integer. */
export function integer(value: number): Buffer {
  if (value < 0xfb) return Buffer.from([value]);
  if (value <= 0xff_ff) return sized(0xfc, value, 2);
  if (value <= 0xff_ff_ff) return sized(0xfd, value, 3);
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(0xfe, 0);
  bytes.writeBigUInt64LE(BigInt(value), 1);
  return bytes;
}

/** A text or bytes with their length in front. */
export function block(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([integer(bytes.length), bytes]);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function sized(tag: number, value: number, length: 2 | 3): Buffer {
  const bytes = Buffer.alloc(1 + length);
  bytes.writeUInt8(tag, 0);
  bytes.writeUIntLE(value, 1, length);
  return bytes;
}
