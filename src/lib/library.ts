/** All namespaces of `lib` that need no module system. */
import { Attrs, type Evaluator } from "../lang/index.ts";
import { attrsetsNamespace } from "./attrsets.ts";
import { customisationNamespace, derivationsNamespace } from "./customisation.ts";
import { debugNamespace } from "./debug.ts";
import { miscNamespace } from "./deprecated.ts";
import { fetchersNamespace } from "./fetchers.ts";
import { filesetNamespace } from "./fileset.ts";
import { cliNamespace, generatorsNamespace } from "./generators.ts";
import { gvariantNamespace } from "./gvariant.ts";
import { kernelNamespace } from "./kernel.ts";
import { licenses } from "./licenses.ts";
import { listsNamespace } from "./lists.ts";
import { metaNamespace } from "./meta.ts";
import { networkNamespace } from "./network.ts";
import { pathNamespace } from "./path.ts";
import { stringsWithDepsNamespace } from "./scripts.ts";
import { filesystemNamespace, sourcesNamespace } from "./sources.ts";
import { stringsNamespace } from "./strings.ts";
import { builtinsNamed, type Namespace, pick } from "./support.ts";
import { platformsNamespace, systemsNamespace } from "./systems.ts";
import { assertsNamespace, fixedPointsNamespace, trivialNamespace, versionsNamespace } from "./trivial.ts";

export interface Library {
  readonly namespaces: Readonly<Record<string, Namespace>>;
  /** What is in `lib` itself. */
  readonly top: Namespace;
}

/** Builtins that are in `lib` itself and belong to no namespace. */
const PLAIN_BUILTINS = [
  "convertHash",
  "getContext",
  "hasContext",
  "hashString",
  "placeholder",
  "splitVersion",
  "toFile",
  "toString",
  "toXML",
  "trace",
  "tryEval",
  "fromTOML",
  "unsafeDiscardOutputDependency",
];

const FROM_SOURCES = [
  "pathIsGitRepo",
  "commitIdFromGitRepo",
  "cleanSource",
  "cleanSourceWith",
  "cleanSourceFilter",
  "pathHasContext",
  "canCleanSource",
  "sourceByRegex",
  "sourceFilesBySuffices",
  "repoRevToName",
  "revOrTag",
  "filterSource",
];
const FROM_LISTS = ["replicate"];
const FROM_META = [
  "addMetaAttrs",
  "dontDistribute",
  "setName",
  "updateName",
  "appendToName",
  "mapDerivationAttrset",
  "setPrio",
  "lowPrio",
  "lowPrioSet",
  "hiPrio",
  "hiPrioSet",
  "licensesSpdx",
  "getLicenseFromSpdxId",
  "getLicenseFromSpdxIdOr",
  "getExe",
  "getExe'",
];
const SOURCE_TYPES = ["fromSource", "binaryNativeCode", "binaryBytecode", "binaryFirmware", "obfuscatedCode"];

/** @param self the final `lib`, for functions that refer to others by name */
export function libraryNamespaces(ev: Evaluator, self: () => Attrs): Library {
  const attrsets = attrsetsNamespace(ev);
  const lists = listsNamespace(ev);
  const strings = stringsNamespace(ev);
  const stringsWithDeps = stringsWithDepsNamespace(ev);
  const trivial = trivialNamespace(ev);
  const fixedPoints = fixedPointsNamespace();
  const customisation = customisationNamespace(ev);
  const derivations = derivationsNamespace(ev);
  const asserts = assertsNamespace(ev);
  const versions = versionsNamespace(ev);
  const debug = debugNamespace(ev);
  const fetchers = fetchersNamespace();
  const gvariant = gvariantNamespace(ev);
  const generators = generatorsNamespace(ev, gvariant);
  const cli = cliNamespace(ev, generators);
  const meta = metaNamespace(ev);
  const misc = miscNamespace(ev, lists.imap1!);
  const network = networkNamespace(strings.toInt!);
  const path = pathNamespace(ev);
  const sources = sourcesNamespace(ev);
  const filesystem = filesystemNamespace(ev, self);
  const fileset = filesetNamespace(ev, sources.cleanSourceWith!);
  const systems = systemsNamespace();
  const platforms = platformsNamespace();
  const flakes = builtinsNamed(ev.builtins, ["parseFlakeRef", "flakeRefToString"]);
  const sourceTypes = Object.fromEntries(
    SOURCE_TYPES.map((name) => [
      name,
      Attrs.from([
        ["shortName", name],
        ["isSource", name === "fromSource"],
      ]),
    ]),
  );
  return {
    namespaces: {
      attrsets,
      lists,
      strings,
      stringsWithDeps,
      trivial,
      fixedPoints,
      customisation,
      derivations,
      asserts,
      versions,
      debug,
      fetchers,
      generators,
      cli,
      meta,
      path,
      sources,
      filesystem,
      fileset,
      gvariant,
      kernel: kernelNamespace(ev),
      misc,
      network,
      systems,
      platforms,
      flakes,
      sourceTypes,
      licenses: licenses(),
      // Who maintains what is nixpkgs' own affair; sets that name nobody are still there to be looked into.
      maintainers: {},
      teams: {},
    },
    top: {
      ...builtinsNamed(ev.builtins, PLAIN_BUILTINS),
      ...lists,
      ...strings,
      ...pick(lists, FROM_LISTS),
      ...stringsWithDeps,
      ...attrsets,
      ...trivial,
      ...fixedPoints,
      ...customisation,
      ...derivations,
      ...asserts,
      ...misc,
      ...debug,
      ...filesystem,
      ...flakes,
      ...pick(sources, FROM_SOURCES),
      ...pick(meta, FROM_META),
      mkLuaInline: generators.mkLuaInline!,
      mkEUI64Suffix: (network.ipv6 as Attrs).get("mkEUI64Suffix")!,
      // The old name.
      mapAttrsFlatten: attrsets.mapAttrsToList!,
    },
  };
}
