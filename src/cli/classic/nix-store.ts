import type { StoreQuery } from "../../app/classic/store-queries.ts";
import { D2nError, UsageError } from "../../base/index.ts";
import { takeCommon, unknownFlag, Words } from "./arguments.ts";
import type { Program } from "./program.ts";

type Operation =
  "realise" | "query" | "add" | "add-fixed" | "dump" | "check-validity" | "read-log" | "gc" | "verify" | "verify-path";

const operations: Readonly<Record<string, Operation>> = {
  "--realise": "realise",
  "--realize": "realise",
  "-r": "realise",
  "--query": "query",
  "-q": "query",
  "--add": "add",
  "-A": "add",
  "--add-fixed": "add-fixed",
  "--dump": "dump",
  "--check-validity": "check-validity",
  "--read-log": "read-log",
  "-l": "read-log",
  "--gc": "gc",
  "--verify": "verify",
  "--verify-path": "verify-path",
};

const queries: Readonly<Record<string, StoreQuery>> = {
  "--outputs": "outputs",
  "--requisites": "requisites",
  "-R": "requisites",
  "--references": "references",
  "--referrers": "referrers",
  "--deriver": "deriver",
  "-d": "deriver",
  "--hash": "hash",
  "--size": "size",
};

export async function nixStore(program: Program): Promise<number> {
  const words = new Words(program.world.argv);
  const operands: string[] = [];
  let operation: Operation | undefined;
  let query: StoreQuery = "outputs";
  let binding: string | undefined;
  let recursive = false;
  let root: string | undefined;
  let contents = false;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--version") return program.printVersion();
    if (operation === undefined && Object.hasOwn(operations, word)) operation = operations[word];
    else if (operation === "query" && Object.hasOwn(queries, word)) query = queries[word]!;
    else if (operation === "query" && (word === "--binding" || word === "-b")) {
      query = "binding";
      binding = words.value(word);
    } else if (word === "--recursive") recursive = true;
    else if (operation === "verify" && word === "--check-contents") contents = true;
    else if (word === "--add-root") root = words.value(word);
    else if (word === "--indirect" || word === "--ignore-unknown") continue;
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) throw operation === undefined ? notServed(word) : unknownFlag(word);
    else operands.push(word);
  }
  if (operation === undefined) throw new UsageError("no operation specified");
  const context = await program.context();
  const printAll = (lines: readonly string[]): number => {
    for (const line of lines) program.print(`${line}\n`);
    return 0;
  };
  const { addToStore, dumpPath, invalidPaths, queryStore, readBuildLog } =
    await import("../../app/classic/store-queries.ts");
  switch (operation) {
    case "realise": {
      const { realisePaths } = await import("../../app/classic/build.ts");
      const paths = await realisePaths(context, operands);
      if (root === undefined) return printAll(paths);
      const { addRoot } = await import("../../app/classic/roots.ts");
      for (const [i, path] of paths.entries())
        program.print(`${await addRoot(context, i === 0 ? root : `${root}-${i + 1}`, path)}\n`);
      return 0;
    }
    case "query":
      return printAll(await queryStore(context, query, operands, binding));
    case "add":
      return printAll(await addToStore(context, operands, { method: "nar" }));
    case "add-fixed": {
      const [algorithm, ...files] = operands;
      if (algorithm === undefined) throw new UsageError("first argument must be hash algorithm");
      return printAll(await addToStore(context, files, { method: recursive ? "nar" : "flat", algorithm }));
    }
    case "dump":
      for await (const bytes of dumpPath(context, operands[0] ?? ".")) program.print(bytes);
      return 0;
    case "check-validity": {
      const invalid = await invalidPaths(context, operands);
      if (invalid[0] !== undefined) throw new D2nError("store-path-missing", `path '${invalid[0]}' is not valid`);
      return 0;
    }
    case "read-log":
      for (const path of operands) {
        const log = await readBuildLog(context, path);
        if (log === undefined) throw new D2nError("log-missing", `build log of derivation '${path}' is not available`);
        program.print(log);
      }
      return 0;
    case "verify": {
      const { verifyStore } = await import("../../app/store-commands.ts");
      const { problems } = await verifyStore(context, { contents, repair: true });
      const serious = problems.filter(({ problem }) => problem !== "unregistered");
      for (const { message } of serious) program.world.stderr.write(`${message}\n`);
      return serious.length === 0 ? 0 : 1;
    }
    case "verify-path": {
      const { modifiedPaths } = await import("../../app/classic/store-queries.ts");
      for (const { path, registered, actual } of await modifiedPaths(context, operands)) {
        program.world.stderr.write(`path '${path}' was modified! expected hash '${registered}', got '${actual}'\n`);
        contents = true;
      }
      return contents ? 1 : 0;
    }
    case "gc": {
      const { collectGarbage } = await import("../../app/store-commands.ts");
      const { paths } = await collectGarbage(context, { dryRun: false, maxFreed: undefined });
      program.world.stderr.write(`${paths.length} store paths deleted\n`);
      return 0;
    }
  }
}

function notServed(word: string): D2nError {
  return new D2nError("settings", `d2n does not serve 'nix-store ${word}'`, {
    hint: "It serves --realise, --query, --add, --add-fixed, --dump, --check-validity, --verify, --verify-path, --read-log and --gc.",
  });
}
