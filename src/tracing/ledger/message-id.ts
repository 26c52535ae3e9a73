// Message ids: UUIDv7 (RFC 9562), so that an id tells its day and ids sort by time.
import { randomBytes } from 'node:crypto';

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const HOUR_MS = 3_600_000;

/** A new id. `now` in Unix milliseconds. */
export function newMessageId(now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return dashed(bytes.toString('hex'));
}

/** The id in its canonical form, or undefined when it is no UUIDv7. */
export function parseMessageId(text: string): string | undefined {
  const lower = text.toLowerCase();
  return UUID7.test(lower) ? lower : undefined;
}

/** When the id was made, Unix milliseconds. */
export const messageTime = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** Whether an id that a foreign caller made is of about now: others would go into files that are gone or far ahead. */
export const isOfNow = (id: string, now: number): boolean => Math.abs(messageTime(id) - now) < 24 * HOUR_MS;

export const idBytes = (id: string): Uint8Array => Buffer.from(id.replaceAll('-', ''), 'hex');
export const idText = (bytes: Uint8Array): string => dashed(Buffer.from(bytes).toString('hex'));

/** The smallest id of a moment, as bytes, for ranges. */
export function idFloor(ms: number): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.min(Math.max(0, Math.floor(ms)), 2 ** 48 - 1), 0, 6);
  return bytes;
}

const dashed = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
