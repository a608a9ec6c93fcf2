/** Floating point numbers as text, as C prints them. JavaScript rounds exact ties up, C to the even neighbour. */

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "nan";
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  return undefined;
}

const isNegative = (value: number): boolean => value < 0 || Object.is(value, -0);

/** `printf("%f")`: six decimals; what `toString` gives. */
export function formatFixed(value: number): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const size = Math.abs(value);
  let text: string;
  if (size >= 1e21) text = `${BigInt(size)}.000000`;
  else {
    text = size.toFixed(6);
    // An odd multiple of 1/128 ends exactly half-way between two numbers of six decimals.
    if ((size * 128) % 2 === 1) {
      const exact = size.toFixed(7);
      if (Number(exact.at(-2)) % 2 === 0) text = exact.slice(0, -1);
    }
  }
  return isNegative(value) ? `-${text}` : text;
}

/** `printf("%g")`: six significant digits; how floats are printed. */
export function formatGeneral(value: number): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const sign = isNegative(value) ? "-" : "";
  const size = Math.abs(value);
  if (size === 0) return `${sign}0`;
  let scientific = size.toExponential(5);
  const exact = size.toExponential(40);
  const at = exact.indexOf("e");
  if (exact.slice(7, at) === `5${"0".repeat(34)}` && Number(exact[6]) % 2 === 0)
    scientific = exact.slice(0, 7) + exact.slice(at);
  const split = scientific.indexOf("e");
  const digits = scientific.slice(0, split).replace(".", "");
  const exponent = Number(scientific.slice(split + 1));
  if (exponent < -4 || exponent >= 6) {
    const fraction = digits.slice(1).replace(/0+$/, "");
    const shown = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0]}${fraction === "" ? "" : `.${fraction}`}e${exponent < 0 ? "-" : "+"}${shown}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits.replace(/0+$/, "")}`;
  const fraction = digits.slice(exponent + 1).replace(/0+$/, "");
  return `${sign}${digits.slice(0, exponent + 1)}${fraction === "" ? "" : `.${fraction}`}`;
}
