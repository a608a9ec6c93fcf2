/**
 * Nix's base 32: 32 characters without e, o, t, u; the bits are read from the end, so the first character holds the last
 * bits (Nix manual, "Store path", and libutil/base-nix-32).
 */
import { FormatError } from "./errors.ts";

export const base32Alphabet = "0123456789abcdfghijklmnpqrsvwxyz";

const values = new Int8Array(256).fill(-1);
for (let i = 0; i < 32; i++) values[base32Alphabet.charCodeAt(i)] = i;

const codes = Buffer.from(base32Alphabet, "latin1");

/** The number of characters that encode so many bytes. */
export function base32Length(bytes: number): number {
  return bytes === 0 ? 0 : Math.floor((bytes * 8 - 1) / 5) + 1;
}

export function encodeBase32(bytes: Uint8Array): string {
  const length = base32Length(bytes.length);
  const text = Buffer.allocUnsafe(length);
  for (let n = length - 1; n >= 0; n--) {
    const bit = n * 5;
    const index = bit >> 3;
    const shift = bit & 7;
    const low = bytes[index]! >> shift;
    const high = index + 1 < bytes.length ? bytes[index + 1]! << (8 - shift) : 0;
    text[length - 1 - n] = codes[(low | high) & 31]!;
  }
  return text.toString("latin1");
}

/** @throws FormatError for foreign characters, impossible lengths, and bits set beyond the last byte. */
export function decodeBase32(text: string): Uint8Array {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8));
  for (let n = 0; n < text.length; n++) {
    const character = text.charCodeAt(text.length - n - 1);
    const value = character < 256 ? values[character]! : -1;
    if (value < 0) throw new FormatError("hash-malformed", `invalid character in base-32 string '${text}'`);
    const bit = n * 5;
    const index = bit >> 3;
    const shift = bit & 7;
    const carry = value >> (8 - shift);
    if (index < bytes.length) bytes[index]! |= (value << shift) & 255;
    else if ((value << shift) & 255) throw new FormatError("hash-malformed", `invalid base-32 string '${text}'`);
    if (index + 1 < bytes.length) bytes[index + 1]! |= carry;
    else if (carry !== 0) throw new FormatError("hash-malformed", `invalid base-32 string '${text}'`);
  }
  if (base32Length(bytes.length) !== text.length)
    throw new FormatError("hash-malformed", `invalid length of base-32 string '${text}'`);
  return bytes;
}

/** Whether a character code belongs to the alphabet. */
export function isBase32(code: number): boolean {
  return code < 256 && values[code]! >= 0;
}
