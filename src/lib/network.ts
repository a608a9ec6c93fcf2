/** `lib.network`: IPv6 addresses, in the text form of RFC 4291 (hexadecimal only), and interface identifiers of its appendix A. */
import { Attrs, forceStringNoContext, type Lazy, lazy, ThrownError } from "../lang/index.ts";
import { call, functions, type Namespace } from "./support.ts";

const PIECES = 8;
const BITS = 128;

/** The eight pieces of an address, `::` filled with zeros. */
function expand(address: string): string[] {
  if (!/^[0-9A-Fa-f:]+$/.test(address))
    throw new ThrownError(`${address} contains malformed characters for IPv6 address`);
  if (address === "::") return Array<string>(PIECES).fill("0");
  const pieces = address.split(":");
  const given = pieces.filter((piece) => piece !== "");
  const atEnd = address.startsWith("::") || address.endsWith("::");
  const shortened = address.includes("::");
  const empty = pieces.length - given.length;
  if (empty !== (atEnd ? 2 : shortened ? 1 : 0) || (shortened ? given.length >= PIECES : given.length !== PIECES))
    throw new ThrownError(`${address} is not a valid IPv6 address`);
  const zeros = Array<string>(PIECES - given.length).fill("0");
  if (address.startsWith("::")) return [...zeros, ...given];
  if (address.endsWith("::")) return [...given, ...zeros];
  return pieces.flatMap((piece) => (piece === "" ? zeros : [piece]));
}

function normalised(address: string): string {
  return expand(address)
    .map((piece) => {
      const value = Number.parseInt(piece, 16);
      if (value > 0xffff) throw new ThrownError(`0x${piece} is not a valid u16 integer`);
      return value.toString(16);
    })
    .join(":");
}

/** The second half of an address that is made of a hardware address. */
function interfaceIdentifier(mac: string): string {
  const octet = "([0-9A-Fa-f]{2})";
  const octets = new RegExp(`^${Array(6).fill(octet).join("[-:.]?")}$`).exec(mac)?.slice(1);
  if (octets === undefined)
    throw new ThrownError(`"${mac}" is not a valid MAC address (expected 6 octets of hex digits)`);
  // The bit that says whether an address is unique in the world is kept the other way round.
  const first = Number.parseInt(`${octets[0]}${octets[1]}`, 16) ^ 0x200;
  return `${first.toString(16)}:${octets[2]}ff:fe${octets[3]}:${octets[4]}${octets[5]}`.toLowerCase();
}

/** @param toInt `lib.toInt` */
export function networkNamespace(toInt: Lazy): Namespace {
  const prefixLength = (address: string, text: string): Lazy => {
    const length = Number(call(toInt, text));
    if (length < 1 || length > BITS)
      throw new ThrownError(`${address} IPv6 subnet should be in range [1;${BITS}], got ${length}`);
    return length;
  };
  return {
    ipv6: Attrs.from(
      Object.entries(
        functions({
          fromString: (value) => {
            const text = forceStringNoContext(value);
            const [address, length, ...rest] = text.split("/") as [string, string?, ...string[]];
            if (rest.length > 0) throw new ThrownError(`${text} is not a valid IPv6 address in CIDR notation`);
            return Attrs.from([
              ["address", lazy(() => normalised(address))],
              ["prefixLength", length === undefined ? BITS : lazy(() => prefixLength(text, length))],
            ]);
          },
          mkEUI64Suffix: (mac) => interfaceIdentifier(forceStringNoContext(mac)),
        }),
      ),
    ),
  };
}
