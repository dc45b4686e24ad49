import { connect } from "node:net";

/** What a server says before anybody has logged in. */
export interface Greeting {
  protocol: number;
  serverVersion: string;
  charset: number;
  plugin: string;
  multiStatements: boolean;
  connectWithDb: boolean;
  tls: boolean;
}

/** Connects, reads the first packet and hangs up. */
export async function greetingOf(port: number): Promise<Greeting> {
  const packet = await firstPacket(port);
  const end = packet.indexOf(0, 1);
  // After the version: connection id (4), nonce (8), filler (1).
  const at = end + 1 + 13;
  const capabilities = packet.readUInt16LE(at) + packet.readUInt16LE(at + 5) * 0x1_0000;
  const plugin = packet.subarray(packet.lastIndexOf(0, packet.length - 2) + 1, packet.length - 1);
  return {
    protocol: packet.readUInt8(0),
    serverVersion: packet.toString("utf8", 1, end),
    charset: packet.readUInt8(at + 2),
    plugin: plugin.toString("utf8"),
    multiStatements: (capabilities & 0x1_0000) !== 0,
    connectWithDb: (capabilities & 0x8) !== 0,
    tls: (capabilities & 0x800) !== 0,
  };
}

async function firstPacket(port: number): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  try {
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= 4 && bytes.length >= 4 + bytes.readUIntLE(0, 3)) break;
    }
    return bytes.subarray(4);
  } finally {
    socket.destroy();
  }
}
