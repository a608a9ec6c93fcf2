/** The program `nix-collect-garbage`: old generations of profiles, and what nothing needs (Nix: `nix-collect-garbage.cc`). */
import { UsageError } from "../../base/index.ts";
import { takeCommon, unknownFlag, Words } from "./arguments.ts";
import { bytesOf, freed } from "./freed.ts";
import type { Program } from "./program.ts";

export async function nixCollectGarbage(program: Program): Promise<number> {
  const words = new Words(program.world.argv);
  let maxFreed: number | undefined;
  let dryRun = false;
  let old: { readonly olderThan: string | undefined } | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return help(program);
    if (word === "--version") return program.printVersion();
    if (word === "--delete-old" || word === "-d") old ??= { olderThan: undefined };
    else if (word === "--delete-older-than") old = { olderThan: words.value(word) };
    else if (word === "--dry-run") dryRun = true;
    else if (word === "--max-freed") maxFreed = bytesOf(word, words.value(word));
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else throw word.startsWith("-") ? unknownFlag(word) : new UsageError(`unexpected argument '${word}'`);
  }
  if (maxFreed !== undefined && dryRun) throw new UsageError("options --max-freed and --dry-run cannot be combined");
  const context = await program.context();
  if (old !== undefined) {
    const { removeOldGenerations } = await import("../../app/classic/generations.ts");
    for (const profile of await removeOldGenerations(context, { ...old, dryRun }))
      program.world.stderr.write(`removing old generations of profile ${profile}\n`);
  }
  const { collectGarbage } = await import("../../app/store-commands.ts");
  const result = await collectGarbage(context, { dryRun, maxFreed, ...program.collectorSettings() });
  program.print(dryRun ? freed(result).replace("deleted", "would be deleted") : freed(result));
  return 0;
}

function help(program: Program): number {
  program.print(`Usage: nix-collect-garbage [OPTION]…
Deletes what nothing in the store needs: no link, no running process.
  -d, --delete-old           first delete all but the present generation of each profile
  --delete-older-than 30d    the same for generations older than this
  --max-freed BYTES          stop after so many bytes (10M, 2G)
  --dry-run                  only count
`);
  return 0;
}
