/** Where a locked package comes from: which of its files, and how that is fetched. */
import { canonicalPath, force, type Native, NixPath, toNix, utf8 } from "../../../lang/index.ts";
import type { ModuleScope, View } from "../../../modules/index.ts";
import {
  indexAddress,
  isSourceDistribution,
  type PdmFile,
  type PdmPackage,
  type PdmSource,
  preferredFile,
  tryParseWheelName,
  type WheelRanks,
} from "../../../python/index.ts";
import { builtin, Dream2nixError, merged, text } from "../../support.ts";

/** The source of a package as `mkDerivation.src` takes it. `root` is the scope of the module `python-pdm`. */
export function fetchPackage(
  root: ModuleScope,
  pkg: PdmPackage,
  selector: View,
  ranks: () => WheelRanks,
  sources: readonly PdmSource[],
): Native {
  const { config, ev } = root;
  const { origin, name } = pkg;
  switch (origin.kind) {
    case "index":
      return identified(pkg, fetchFile(root, name, selectFile(root, name, origin.files, selector, ranks), sources));
    case "url":
      if (origin.hash === undefined) throw noHash(name);
      return config.at("deps", "fetchurl").call({ url: utf8(origin.url), ...hashAttribute(name, origin.hash) });
    case "git": {
      const fetched = builtin(ev, "fetchGit", {
        url: utf8(origin.url),
        rev: origin.revision,
        submodules: true,
        allRefs: true,
      });
      return text(ev)`${root.system.view(fetched).at("outPath")}`;
    }
    case "path":
      return besideProject(root, origin.path);
    case "unsupported":
      throw new Dream2nixError("pdm-lock", `${name} in pdm.lock cannot be fetched: ${origin.what}`, {
        hint: `Set the source yourself: overrides.${name}.mkDerivation.src.`,
      });
  }
}

/** With what the package is called in bills of materials (purl). */
function identified({ name, version }: PdmPackage, source: View): Native {
  const identifiers = { purlParts: { type: "pypi", spec: `${name}@${version ?? ""}` } };
  const meta = source.or(["meta"], {}).attrs();
  return merged(source.attrs(), [["meta", merged(meta, [["identifiers", toNix(identifiers)]])]]);
}

function fetchFile(root: ModuleScope, name: string, file: PdmFile, sources: readonly PdmSource[]): View {
  const hash = hashAttribute(name, file.hash);
  const fetchurl = root.config.at("deps", "fetchurl");
  if (file.url !== undefined) {
    const plain = /^[A-Za-z0-9+\-._]+$/.test(file.name) && file.url.endsWith(`/${file.name}`);
    return fetchurl.call({ url: utf8(file.url), ...hash, ...(plain ? {} : { name: storeName(file.name) }) });
  }
  return fetchurl.call({
    url: indexAddress(name, file.name, sources),
    ...hash,
    ...(sources.length === 0 ? {} : { name: storeName(file.name) }),
  });
}

function storeName(file: string): string {
  return file.replace(/[^A-Za-z0-9+\-._?=]/g, "_").replace(/^\./, "_");
}

function hashAttribute(name: string, hash: string): { readonly sha256: string } | { readonly hash: string } {
  const match = /^(sha256|sha512|sha384|sha1|md5)[:=]([0-9a-f]+)$/i.exec(hash);
  if (match === null) throw noHash(name);
  const [, algorithm, hex] = match;
  return algorithm === "sha256"
    ? { sha256: hex!.toLowerCase() }
    : { hash: `${algorithm}-${Buffer.from(hex!, "hex").toString("base64")}` };
}

function noHash(name: string): Dream2nixError {
  return new Dream2nixError("lock-no-hash", `pdm.lock has no hash for ${name} that could be checked`, {
    hint: "Lock again with a recent pdm, from an index that publishes hashes.",
  });
}

function selectFile(
  root: ModuleScope,
  name: string,
  files: readonly PdmFile[],
  selector: View,
  ranks: () => WheelRanks,
): PdmFile {
  const names = files
    .map((file) => file.name)
    .filter((file) => tryParseWheelName(file) !== undefined || isSourceDistribution(file));
  const choice = selector.get();
  let chosen: string | undefined;
  if (choice === "wheel" || choice === "sdist") {
    chosen = preferredFile(names, choice, ranks());
  } else {
    const result = selector.call(names).get();
    if (result !== null) chosen = root.system.view(result, `sourceSelector for ${name}`).textWithoutContext();
  }
  const file = files.find((one) => one.name === chosen);
  if (file !== undefined) return file;
  const { config } = root;
  const python = config.at("deps", "python");
  throw new Dream2nixError(
    "pdm-lock",
    chosen === undefined
      ? `No valid filename found in the list of filenames of ${name} for Python ${python.at("version").textWithoutContext()} on ${python.at("system").textWithoutContext()}`
      : `the sourceSelector of ${name} chose ${chosen}, which is not among its files`,
    {
      details: files.map((one) => `- ${one.name}`).join("\n"),
      hint: "The lock may have been made for another platform or version of Python: `pdm lock --append` adds one. `deps.python` chooses the interpreter.",
    },
  );
}

/** A path of the lock: relative to the folder of `pyproject.toml`. */
function besideProject(root: ModuleScope, path: string): Native {
  const file = root.config.at("pdm", "pyproject").get();
  if (path.startsWith("/")) return new NixPath(utf8(path));
  const folder = force(builtin(root.ev, "dirOf", file));
  if (folder instanceof NixPath) return new NixPath(canonicalPath(`${folder.path}/${utf8(path)}`));
  return text(root.ev)`${folder}/${utf8(path.replace(/^(?:\.\/)+/, ""))}`;
}
