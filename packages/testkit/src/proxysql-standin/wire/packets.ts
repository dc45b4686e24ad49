/** One logical packet of the MySQL protocol: several frames of 16 MB are one packet. */
export interface Packet {
  /** Sequence number of the (last) frame. */
  sequence: number;
  payload: Buffer;
}

const LARGEST_FRAME = 0xff_ff_ff;

/** Cuts the bytes of a TCP stream into packets. */
export class PacketReader {
  #pending: Buffer[] = [];
  #pendingLength = 0;
  #frames: Buffer[] = [];

  /** The packets that are complete with this chunk. */
  push(chunk: Buffer): Packet[] {
    this.#pending.push(chunk);
    this.#pendingLength += chunk.length;
    const packets: Packet[] = [];
    for (;;) {
      const packet = this.#next();
      if (packet === "need more") return packets;
      if (packet !== "frame of a larger packet") packets.push(packet);
    }
  }

  /** Takes out the bytes that are not part of a complete packet yet. */
  takeRest(): Buffer {
    const rest = this.#joined();
    this.#pending = [];
    this.#pendingLength = 0;
    return rest;
  }

  #next(): Packet | "need more" | "frame of a larger packet" {
    if (this.#pendingLength < 4) return "need more";
    const bytes = this.#joined();
    const length = bytes.readUIntLE(0, 3);
    if (bytes.length < 4 + length) return "need more";
    const sequence = bytes.readUInt8(3);
    this.#frames.push(bytes.subarray(4, 4 + length));
    this.#pending = [bytes.subarray(4 + length)];
    this.#pendingLength = bytes.length - 4 - length;
    if (length === LARGEST_FRAME) return "frame of a larger packet";
    const payload = this.#frames.length === 1 ? this.#frames[0] : Buffer.concat(this.#frames);
    this.#frames = [];
    return { sequence, payload: payload ?? Buffer.alloc(0) };
  }

  #joined(): Buffer {
    if (this.#pending.length > 1) this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0] ?? Buffer.alloc(0);
  }
}

/** The frames of a packet, and the sequence number that the next packet gets. */
export function frame(payload: Buffer, sequence: number): { bytes: Buffer; nextSequence: number } {
  const parts: Buffer[] = [];
  let number = sequence;
  let from = 0;
  for (;;) {
    const part = payload.subarray(from, from + LARGEST_FRAME);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    header.writeUInt8(number & 0xff, 3);
    parts.push(header, part);
    number += 1;
    from += part.length;
    // A packet whose last frame is full is ended by an empty one.
    if (part.length < LARGEST_FRAME) return { bytes: Buffer.concat(parts), nextSequence: number & 0xff };
  }
}
