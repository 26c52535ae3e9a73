// Protocol Buffers on the wire: a cursor over foreign bytes that never leaves them, and a writer of messages.

/** The bytes are no protobuf message. */
export class WireError extends Error {}

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads fields one after the other; every read beyond the end throws a {@link WireError}. */
export class WireReader {
  readonly buffer: Buffer;
  at: number;
  end: number;
  /** Number and wire type of the field that `next` came to. */
  field = 0;
  type = 0;
  /** Where the payload of a field of bytes stands after `span`. */
  from = 0;
  to = 0;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = from;
    this.end = end;
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.type = tag % 8;
    if (this.field === 0 || tag > 0xffff_ffff) throw new WireError('a field number is out of range');
    return true;
  }

  /** A varint as a number: exact below 2^53, rounded above. */
  varint(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    for (let i = 1; i < 10; i += 1) {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new WireError('a varint is longer than 10 bytes');
  }

  /** A varint as the signed 64-bit integer it stands for. */
  int64(): bigint {
    let value = 0n;
    for (let i = 0; i < 10; i += 1) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new WireError('a varint is longer than 10 bytes');
  }

  fixed64(): bigint {
    this.need(8);
    const value = this.buffer.readBigUInt64LE(this.at);
    this.at += 8;
    return value;
  }

  double(): number {
    this.need(8);
    const value = this.buffer.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  fixed32(): number {
    this.need(4);
    const value = this.buffer.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }

  /** Nanoseconds of a fixed64 as whole microseconds, at most 2^53 - 1. */
  micros(): number {
    this.need(8);
    const low = this.buffer.readUInt32LE(this.at);
    const high = this.buffer.readUInt32LE(this.at + 4);
    this.at += 8;
    // 2^32 ns are 4294967.296 us; split so that every intermediate value is exact.
    const remainder = (high % 1000) * 4_294_967_296 + low;
    return Math.min(Number.MAX_SAFE_INTEGER, Math.floor(high / 1000) * 4_294_967_296 + Math.floor(remainder / 1000));
  }

  /** Goes over a field of bytes and remembers where its payload stands in `from` and `to`. */
  span(): void {
    const length = this.varint();
    this.need(length);
    this.from = this.at;
    this.to = this.at + length;
    this.at = this.to;
  }

  bytes(): Buffer {
    this.span();
    return this.buffer.subarray(this.from, this.to);
  }

  text(): string {
    this.span();
    return this.buffer.toString('utf8', this.from, this.to);
  }

  /** A reader of the message in a field of bytes. */
  message(): WireReader {
    this.span();
    return new WireReader(this.buffer, this.from, this.to);
  }

  /** Goes over the field that `next` came to. */
  skip(): void {
    switch (this.type) {
      case WIRE.varint:
        for (let i = 0; this.byte() >= 0x80; i += 1)
          if (i >= 9) throw new WireError('a varint is longer than 10 bytes');
        return;
      case WIRE.fixed64:
        this.need(8);
        this.at += 8;
        return;
      case WIRE.bytes:
        this.span();
        return;
      case WIRE.fixed32:
        this.need(4);
        this.at += 4;
        return;
      default:
        throw new WireError(`wire type ${this.type} is not read`);
    }
  }

  /** Whether the field has this wire type; a field of another one is gone over, as for unknown fields. */
  is(type: number): boolean {
    if (this.type === type) return true;
    this.skip();
    return false;
  }

  private byte(): number {
    if (this.at >= this.end) throw new WireError('the message ends within a field');
    return this.buffer[this.at++] ?? 0;
  }

  private need(length: number): void {
    if (!(length <= this.end - this.at)) throw new WireError('a field is longer than its message');
  }
}

/** Builds a message by appending fields. */
export class WireWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  varint(field: number, value: number | bigint): this {
    return this.push(varintBytes(BigInt(field) << 3n), varintBytes(BigInt.asUintN(64, BigInt(value))));
  }

  fixed64(field: number, value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return this.push(varintBytes((BigInt(field) << 3n) | 1n), bytes);
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return this.push(varintBytes((BigInt(field) << 3n) | 1n), bytes);
  }

  fixed32(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return this.push(varintBytes((BigInt(field) << 3n) | 5n), bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.push(varintBytes((BigInt(field) << 3n) | 2n), varintBytes(BigInt(value.length)), value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, value: WireWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Buffer {
    return Buffer.concat(this.parts, this.length);
  }

  private push(...parts: readonly Uint8Array[]): this {
    for (const part of parts) {
      this.parts.push(part);
      this.length += part.length;
    }
    return this;
  }
}

const SMALL = Array.from({ length: 128 }, (_, value) => Buffer.from([value]));

function varintBytes(value: bigint): Uint8Array {
  if (value < 128n) return SMALL[Number(value)] ?? Buffer.alloc(1);
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
