/** Number literals. */

const MAX_INTEGER = 2n ** 63n - 1n;

/** The value of decimal digits, or undefined beyond 64 bits. */
export function parseIntegerLiteral(digits: string): number | bigint | undefined {
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(digits);
  return exact > MAX_INTEGER ? undefined : exact;
}

/** The value of a float, or undefined where it over- or underflows, as C's `strtod` reports. */
export function parseFloatLiteral(text: string): number | undefined {
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const tiny = Math.abs(value) < 2.2250738585072014e-308;
  return tiny && /[1-9]/.test(text.replace(/[eE].*/, "")) ? undefined : value;
}
