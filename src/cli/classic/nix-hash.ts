import { resolve } from "node:path";
import type { HashFormat } from "../../app/classic/hashes.ts";
import { D2nError, UsageError } from "../../base/index.ts";
import { subcommandMissing, takeCommon, unknownFlag, Words } from "./arguments.ts";
import type { Program } from "./program.ts";

const formats: Readonly<Record<string, HashFormat>> = {
  base16: "base16",
  base32: "nix32",
  nix32: "nix32",
  base64: "base64",
  sri: "sri",
};

/** The classic program: `nix-hash --type sha256 --flat FILE`, `nix-hash --to-base32 HASH`. */
export async function nixHash(program: Program): Promise<number> {
  const { convertHash, hashPath } = await import("../../app/classic/hashes.ts");
  const words = new Words(program.world.argv);
  const operands: string[] = [];
  let format: HashFormat = "base16";
  let to: HashFormat | undefined;
  let algorithm: string | undefined;
  let flat = false;
  let truncate = false;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const option = word.slice(2);
    if (word === "--help") return help(program);
    if (word === "--version") return program.printVersion();
    if (word === "--flat") flat = true;
    else if (word === "--truncate") truncate = true;
    else if (word === "--type") algorithm = words.value(word);
    else if (word.startsWith("--to-") && Object.hasOwn(formats, word.slice(5))) to = formats[word.slice(5)];
    else if (word.startsWith("--") && Object.hasOwn(formats, option)) format = formats[option]!;
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else operands.push(word);
  }
  for (const operand of operands)
    program.print(
      `${to === undefined ? hashPath({ path: resolve(program.world.cwd, operand), method: flat ? "flat" : "nar", algorithm: algorithm ?? "md5", format, truncate }) : convertHash(operand, algorithm, to)}\n`,
    );
  return 0;
}

function help(program: Program): number {
  program.print(`Usage: nix-hash [OPTION]… PATH…
       nix-hash --to-base16|--to-base32|--to-base64|--to-sri [--type ALGORITHM] HASH…
Prints hashes of files and trees, or writes hashes in another form.
  --type ALGORITHM                        md5 (unless given), sha1, sha256, sha512, blake3
  --flat                                  of a file as it is, not of its NAR
  --base16, --base32, --base64, --sri     how to print it; base 16 unless given
  --truncate                              shortened to 160 bits
`);
  return 0;
}

const commands = ["convert", "file", "path", "to-base16", "to-base32", "to-base64", "to-sri"];

/** `nix hash file|path|convert|to-base16|to-base32|to-base64|to-sri`. */
export async function hashCommand(program: Program, argv: readonly string[]): Promise<number> {
  const { convertHash, hashPath } = await import("../../app/classic/hashes.ts");
  const words = new Words(argv);
  const command = words.next();
  if (command === undefined || command.startsWith("-")) throw subcommandMissing("hash", commands);
  if (!commands.includes(command)) throw new UsageError(`'${command}' is not a recognised command`);
  const operands: string[] = [];
  let algorithm: string | undefined;
  let format: HashFormat = "sri";
  let from: HashFormat | undefined;
  let method: "flat" | "nar" = command === "file" ? "flat" : "nar";
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const option = word.slice(2);
    if (word === "--type" || word === "--hash-algo" || word === "--algo") algorithm = words.value(word);
    else if (word === "--to" || word === "--format") format = named(words.value(word));
    else if (word === "--from") from = named(words.value(word));
    else if (word === "--mode") method = ingestion(words.value(word));
    else if (word.startsWith("--") && Object.hasOwn(formats, option)) format = formats[option]!;
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else operands.push(word);
  }
  if (command === "file" || command === "path") {
    for (const path of operands.map((operand) => resolve(program.world.cwd, operand)))
      program.print(`${hashPath({ path, method, algorithm: algorithm ?? "sha256", format })}\n`);
    return 0;
  }
  const old = command.startsWith("to-");
  if (old)
    program.warn("The old format conversion subcommands of `nix hash` were deprecated in favor of `nix hash convert`.");
  const to = old ? named(command.slice("to-".length)) : format;
  for (const hash of operands) program.print(`${convertHash(hash, algorithm, to, from)}\n`);
  return 0;
}

function ingestion(mode: string): "flat" | "nar" {
  if (mode === "flat" || mode === "nar") return mode;
  if (mode === "git")
    throw new D2nError("settings", "d2n does not serve '--mode git'", { hint: "It serves nar and flat." });
  throw new UsageError(`Unknown file ingestion method '${mode}', expect \`flat\`, \`nar\`, or \`git\``);
}

function named(name: string): HashFormat {
  const format = formats[name];
  if (format === undefined)
    throw new UsageError(`unknown hash format '${name}', expect 'base16', 'base32', 'base64', or 'sri'`);
  return format;
}
