/** `nix key`: keys to sign store paths with. */
import { generateSecretKey, parseSecretKey, printPublicKey, printSecretKey } from "../../formats/index.ts";

export function newSecretKey(name: string): string {
  return printSecretKey(generateSecretKey(name));
}

/** @throws FormatError `signature-malformed` */
export function publicKeyOf(secret: string): string {
  return printPublicKey(parseSecretKey(secret).publicKey);
}
