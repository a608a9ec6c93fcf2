/** `nix build`, `path-info`, `why-depends`, `log`, `derivation`, `edit` of files, expressions and store paths. */
import { resolve } from "node:path";
import { realiseInstallables, pathsOf, wantedText } from "../../../app/classic/installables.ts";
import { D2nError, UsageError } from "../../../base/index.ts";
import { sizeInNix } from "../freed.ts";
import { installablesOf } from "./installables.ts";
import { type Call, exactly, readOptions } from "./options.ts";

export async function build(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE…",
    about: "Builds derivations and links them as ./result.",
    switches: { "no-link": "", "print-out-paths": "", "dry-run": "", json: "", rebuild: "" },
    values: { "out-link": "-o", profile: "" },
    installables: "many",
  });
  if (given === undefined) return 0;
  if (given.has("profile")) throw new D2nError("settings", "d2n does not serve '--profile': it has no profiles");
  const { program } = call;
  const context = await program.context();
  const found = await installablesOf(program, given);
  if (given.has("dry-run")) {
    const { missingDerivations } = await import("../../../app/classic/build.ts");
    program.tellMissing(await missingDerivations(context, found.map(wantedText)));
    return 0;
  }
  const { realisePaths } = await import("../../../app/classic/build.ts");
  const paths = await realisePaths(context, found.map(wantedText), { check: given.has("rebuild") });
  if (!given.has("no-link")) {
    const { linkResult } = await import("../../../app/result-links.ts");
    const name = given.value("out-link") ?? "result";
    for (const { path, output, number } of paths) {
      const suffix = output === undefined || output === "out" ? "" : `-${output}`;
      await linkResult(context, resolve(context.cwd, `${name}${number === 1 ? "" : `-${number - 1}`}${suffix}`), path);
    }
  }
  if (given.has("print-out-paths")) for (const { path } of paths) program.print(`${path}\n`);
  if (given.has("json"))
    program.printJson({
      value: found.map((one, i) => {
        if ("path" in one) return one.path;
        const mine = paths.filter(({ number }) => number === i + 1);
        const outputs = Object.fromEntries(
          mine.map(({ output = "out", path }): [string, string] => [output, path]).sort(),
        );
        return { drvPath: one.drvPath, outputs };
      }),
    });
  return 0;
}

export async function pathInfo(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE…",
    about: "Says what the store knows of paths.",
    switches: {
      size: "-s",
      "closure-size": "-S",
      "human-readable": "-h",
      sigs: "",
      json: "",
      recursive: "-r",
      all: "",
    },
    values: { "json-format": "" },
    installables: "many",
  });
  if (given === undefined) return 0;
  const { program } = call;
  const context = await program.context();
  const store = await context.store();
  const { closureSize, pathInformation } = await import("../../../app/classic/path-information.ts");
  const { referencesFirst } = await import("../../../app/classic/store-arguments.ts");
  let paths: string[];
  if (given.has("all")) {
    if (given.operands.length > 0) throw new UsageError("'--all' does not expect arguments");
    paths = [...(await store.queryAllValidPaths())].sort();
  } else paths = await pathsOf(context, await installablesOf(program, given), given.has("derivation"));
  if (given.has("recursive")) paths = await referencesFirst(context, await store.closure(paths));
  if (given.has("json")) {
    const format = given.value("json-format");
    if (format === undefined)
      program.warn(
        "'--json' without '--json-format' is deprecated; please specify '--json-format 1' or '--json-format 2'. This will become an error in a future release.",
      );
    else if (format !== "1" && format !== "2") throw new UsageError(`unsupported JSON format version '${format}'`);
    const version = format === "2" ? 2 : 1;
    program.printJson({
      value: await pathInformation(context, paths, { version, withClosure: given.has("closure-size") }),
    });
    return 0;
  }
  const longest = Math.max(0, ...paths.map((path) => path.length));
  const size = (bytes: number): string =>
    `\t${given.has("human-readable") ? sizeInNix(bytes).padStart(10) : String(bytes).padStart(11)}`;
  for (const path of paths) {
    const found = await store.findPathInfo(path);
    if (found === undefined) throw new D2nError("store-path-missing", `path '${path}' is not valid`);
    const wide = given.has("size") || given.has("closure-size") || given.has("sigs");
    program.print(
      [
        wide ? path.padEnd(longest) : path,
        ...(given.has("size") ? [size(found.narSize)] : []),
        ...(given.has("closure-size") ? [size(await closureSize(context, path))] : []),
        ...(given.has("sigs")
          ? [
              `\t${[...(found.ultimate ? ["ultimate"] : []), ...(found.ca === undefined ? [] : [`ca:${found.ca}`]), ...found.signatures].join(" ")}`,
            ]
          : []),
        "\n",
      ].join(""),
    );
  }
  return 0;
}

export async function whyDepends(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE INSTALLABLE",
    about: "Shows why the first needs the second.",
    switches: { all: "-a", precise: "" },
    installables: true,
  });
  if (given === undefined) return 0;
  const { program } = call;
  const [first, second] = exactly(given, 2) as [string, string];
  const context = await program.context();
  const derivations = given.has("derivation");
  const packages = await installablesOf(program, given, [first]);
  if (!derivations) await realiseInstallables(context, packages);
  const [from] = await pathsOf(context, packages, derivations);
  const others = await installablesOf(program, given, [second]);
  const [to] = await pathsOf(context, others, derivations);
  const { whyDepends: waysTo } = await import("../../../app/classic/path-information.ts");
  const text = await waysTo(context, from!, to!, { all: given.has("all"), precise: given.has("precise") });
  if (text === undefined)
    program.world.stderr.write(`'${packages[0]!.what}' does not depend on '${others[0]!.what}'\n`);
  else program.print(text);
  return 0;
}

export async function diffClosures(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "BEFORE AFTER",
    about: "Shows which versions and sizes differ between the closures of two packages.",
    installables: true,
  });
  if (given === undefined) return 0;
  const { program } = call;
  const context = await program.context();
  const found = await installablesOf(program, given, exactly(given, 2));
  await realiseInstallables(context, found);
  const [before, after] = await pathsOf(context, found, false);
  const { closureDifferences } = await import("../../../app/classic/path-information.ts");
  program.print(await closureDifferences(context, before!, after!));
  return 0;
}

export async function log(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE",
    about: "Prints the log of a build.",
    installables: true,
  });
  if (given === undefined) return 0;
  const { program } = call;
  const context = await program.context();
  const found = await installablesOf(program, given, exactly(given, 1));
  const { readBuildLog } = await import("../../../app/classic/store-queries.ts");
  for (const one of found) {
    const text = await readBuildLog(context, "path" in one ? one.path : one.drvPath);
    if (text === undefined) throw new D2nError("log-missing", `build log of '${one.what}' is not available`);
    program.print(text);
  }
  return 0;
}

export async function derivationShow(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE…",
    about: "Prints derivations as JSON.",
    switches: { recursive: "-r" },
    installables: "many",
  });
  if (given === undefined) return 0;
  const { program } = call;
  const context = await program.context();
  const paths = await pathsOf(context, await installablesOf(program, given), true);
  const { showDerivations } = await import("../../../app/classic/derivation-json.ts");
  program.print(`${await showDerivations(context, paths, given.has("recursive"))}\n`);
  return 0;
}

export async function derivationAdd(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "", about: "Stores the derivation that standard input has as JSON." });
  if (given === undefined) return 0;
  const { program } = call;
  const { addDerivationJson } = await import("../../../app/classic/derivation-json.ts");
  program.print(`${await addDerivationJson(await program.context(), program.read("-"))}\n`);
  return 0;
}
