/** The program `nix-prefetch-url` (Nix: `prefetch.cc`). */
import { runClassic } from "../../app/classic/run.ts";
import { UsageError } from "../../base/index.ts";
import { bytes, takeCommon, unknownFlag, Words } from "./arguments.ts";
import type { Program } from "./program.ts";

export async function nixPrefetchUrl(program: Program): Promise<number> {
  const { world, common } = program;
  const words = new Words(world.argv);
  const operands: string[] = [];
  let algorithm = "sha256";
  let printPath = world.environment["PRINT_PATH"] === "1";
  let attributePath: string | undefined;
  let unpack = false;
  let executable = false;
  let name: string | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return help(program);
    if (word === "--version") return program.printVersion();
    if (word === "--type") algorithm = words.value(word);
    else if (word === "--print-path") printPath = true;
    else if (word === "--attr" || word === "-A") attributePath = words.value(word);
    else if (word === "--unpack") unpack = true;
    else if (word === "--executable") executable = true;
    else if (word === "--name") name = words.value(word);
    else if (takeCommon(word, words, common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else operands.push(word);
  }
  if (operands.length > 2) throw new UsageError("too many arguments");
  let [url] = operands;
  if (attributePath !== undefined) {
    const source = await sourceOf(program, url ?? ".", attributePath);
    ({ url } = source);
    if (source.mode === null) world.stderr.write("warning: this does not look like a fetchurl call\n");
    else unpack = source.mode === "recursive";
    name ??= source.name ?? undefined;
  }
  if (url === undefined) throw new UsageError("you must specify a URL");
  const { prefetch } = await import("../../app/classic/prefetch.ts");
  const { path, hash } = await prefetch(await program.context(), {
    url,
    name,
    algorithm,
    expected: operands[1],
    unpack,
    executable,
  });
  if (!printPath) world.stderr.write(`path is '${path}'\n`);
  program.print(`${hash}\n`);
  if (printPath) program.print(`${path}\n`);
  return 0;
}

interface Source {
  readonly url: string;
  readonly mode: string | null;
  readonly name: string | null;
}

/** What a package's source fetches. */
async function sourceOf(program: Program, file: string, attributePath: string): Promise<Source> {
  let json = "";
  await runClassic({
    job: {
      settings: await program.evaluationSettings({ writes: false }),
      task: {
        kind: "eval",
        source: { kind: "file", file },
        attributePath: bytes(attributePath),
        arguments: [...program.common.autoArguments.values()],
        apply:
          "s: { url = if s.urls == [ ] then throw \"'urls' list is empty\" else builtins.head s.urls; mode = s.outputHashMode or null; name = s.name or null; }",
        format: "json",
      },
    },
    context: () => program.context(),
    signal: program.signal,
    sink: { ...program.sink, write: (output) => void (json += Buffer.from(output).toString("utf8")) },
  });
  return JSON.parse(json) as Source;
}

function help(program: Program): number {
  program.print(`Usage: nix-prefetch-url [OPTION]… URL [HASH]
Downloads a file to the store and prints its hash. With HASH, anything else is an error.
  --type ALGORITHM           md5, sha1, sha256 (unless given), sha512, blake3
  --unpack                   an archive: keep, and hash, what is in it
  --executable               make it executable
  --name NAME                its name in the store; the last part of the URL unless given
  --print-path               print the store path, too
  -A, --attr PATH [FILE]     the source that this attribute of FILE fetches, in place of a URL
`);
  return 0;
}
