import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { block, FieldReader, integer } from "../../src/proxysql-standin/wire/codec.js";
import {
  greetingPacket,
  loginPacket,
  parseGreeting,
  parseLogin,
} from "../../src/proxysql-standin/wire/handshake.js";
import {
  checkProof,
  createNonce,
  passwordKey,
  proof,
} from "../../src/proxysql-standin/wire/native-password.js";
import { frame, PacketReader } from "../../src/proxysql-standin/wire/packets.js";
import {
  eofPacket,
  errorPacket,
  okPacket,
  resultSetPackets,
} from "../../src/proxysql-standin/wire/replies.js";
import { ResponseReader } from "../../src/proxysql-standin/wire/response.js";
import { createCertificate } from "../../src/proxysql-standin/wire/self-signed.js";

const LARGEST_FRAME = 0xff_ff_ff;

describe("packets", () => {
  it.each([0, 1, LARGEST_FRAME - 1, LARGEST_FRAME, LARGEST_FRAME + 1])(
    "of %i bytes come back as they went",
    (length) => {
      const payload = Buffer.alloc(length, 7);
      const { bytes, nextSequence } = frame(payload, 254);
      const [packet, ...others] = new PacketReader().push(bytes);
      expect(others).toEqual([]);
      expect(packet!.payload.equals(payload)).toBe(true);
      expect(nextSequence).toBe((packet!.sequence + 1) & 0xff);
    },
  );

  it("come out whatever pieces the network makes of them", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 9 })), (wanted, sizes) => {
        const stream = Buffer.concat(wanted.map((payload) => frame(Buffer.from(payload), 0).bytes));
        const reader = new PacketReader();
        const found: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % Math.max(1, sizes.length)] ?? 5;
          found.push(...reader.push(stream.subarray(at, at + size)).map(({ payload }) => payload));
          at += size;
        }
        expect(found.map((one) => [...one])).toEqual(wanted.map((one) => [...one]));
      }),
    );
  });
});

describe("fields", () => {
  it("keep numbers of every length", () => {
    for (const value of [0, 250, 251, 65_535, 65_536, 16_777_215, 16_777_216, Number.MAX_SAFE_INTEGER])
      expect(new FieldReader(integer(value)).integer()).toBe(value);
  });

  it("keep texts", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(new FieldReader(block(text)).block().toString("utf8")).toBe(
          Buffer.from(text).toString("utf8"),
        );
      }),
    );
  });

  it("of a packet that is too short are an error", () => {
    expect(() => new FieldReader(Buffer.from([1])).uint32()).toThrow("too short");
    expect(() => new FieldReader(Buffer.from([0xfb])).integer()).toThrow("0xfb");
  });
});

describe("a handshake", () => {
  it("carries what both sides have to know", () => {
    const greeting = {
      serverVersion: "8.0.11",
      connectionId: 42,
      nonce: createNonce(),
      capabilities: 0x9a_a20b,
    };
    expect(parseGreeting(greetingPacket(greeting))).toEqual(greeting);
    const login = {
      capabilities: 0x08_8200,
      charset: 33,
      user: "app",
      answer: Buffer.from("x".repeat(20)),
      database: "db",
      plugin: "mysql_native_password",
    };
    expect(parseLogin(loginPacket(login))).toEqual({ ...login, capabilities: login.capabilities | 0x8 });
  });

  it("proves a password, stored in clear or hashed, and gives the key for the next server", () => {
    const nonce = createNonce();
    const answer = proof(passwordKey("secret"), nonce);
    const sha = (bytes: Buffer) => createHash("sha1").update(bytes).digest();
    const hashed = `*${sha(sha(Buffer.from("secret")))
      .toString("hex")
      .toUpperCase()}`;
    for (const stored of ["secret", hashed])
      expect(checkProof(answer, nonce, stored)).toEqual(passwordKey("secret"));
    expect(checkProof(answer, nonce, "other")).toBeUndefined();
    expect(checkProof(answer, createNonce(), "secret")).toBeUndefined();
    expect(checkProof(Buffer.alloc(0), nonce, "secret")).toBeUndefined();
    expect(checkProof(Buffer.alloc(0), nonce, "")).toEqual(Buffer.alloc(0));
    expect(checkProof(answer, nonce, "")).toBeUndefined();
  });
});

describe("the end of an answer", () => {
  const end = (packets: Buffer[], isPrepare = false) => {
    const reader = new ResponseReader(isPrepare);
    const done = packets.map((packet) => reader.feed(packet));
    expect(done.indexOf(true)).toBe(packets.length - 1);
    return reader.end;
  };

  it("is an OK packet", () => {
    expect(end([okPacket({ affectedRows: 300, status: 2 })])).toMatchObject({ affectedRows: 300, status: 2 });
  });

  it("is an error, also in the middle of rows", () => {
    const error = { errno: 1317, sqlstate: "70100", message: "interrupted" };
    expect(end([errorPacket(error)])).toMatchObject({ status: undefined, error });
    const rows = resultSetPackets({ columns: ["a"], rows: [["x"]] }, 2).slice(0, -1);
    expect(end([...rows, errorPacket(error)])).toMatchObject({ error });
  });

  it("is the second EOF of rows, whatever bytes the rows have", () => {
    const rows = [["x".repeat(0xfe)], [null], [""]];
    expect(end(resultSetPackets({ columns: ["a"], rows }, 3)).status).toBe(3);
  });

  it("comes after the last of several results", () => {
    const more = 0x8;
    const first = resultSetPackets({ columns: ["a"], rows: [] }, 2 | more);
    expect(end([...first, okPacket({ status: 2 | more }), okPacket({ status: 2 })]).status).toBe(2);
  });

  it("of a prepare comes after its parameters and columns", () => {
    const header = (columns: number, parameters: number) =>
      Buffer.from([0, 1, 0, 0, 0, columns, 0, parameters, 0, 0, 0, 0]);
    const definition = Buffer.from([3, 0x64, 0x65, 0x66]);
    end([header(0, 0)], true);
    end([header(0, 1), definition, eofPacket(2)], true);
    end([header(2, 0), definition, definition, eofPacket(2)], true);
    end([header(1, 1), definition, eofPacket(2), definition, eofPacket(2)], true);
  });

  it("of COM_SET_OPTION is an EOF", () => {
    expect(end([eofPacket(2)]).status).toBe(2);
  });
});

it("makes a certificate that its key belongs to", () => {
  const now = new Date("2026-11-21T00:00:00Z");
  const { key, cert } = createCertificate(now);
  const certificate = new X509Certificate(cert);
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe("CN=ProxySQL_Auto_Generated_Server_Certificate");
  expect(new Date(certificate.validFrom)).toEqual(now);
});
