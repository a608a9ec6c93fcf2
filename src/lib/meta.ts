/** `lib.meta`: metadata of packages. */
import {
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceList,
  forceText,
  isDerivation,
  isString,
  joinStrings,
  type Lazy,
  lazy,
  textOf,
  ThrownError,
  typeOf,
  updateAttrs,
} from "../lang/index.ts";
import { findByPath, getOutput, matches } from "./attrsets.ts";
import { escapeNixIdentifier } from "./identifiers.ts";
import { licenses } from "./licenses.ts";
import { attribute, call, callLater, fn, functions, mapBare, type Namespace, getOr } from "./support.ts";

const DEFAULT_PRIORITY = 5;

function addMeta(added: Lazy, lazyDrv: Lazy): Lazy {
  const drv = forceAttrs(lazyDrv);
  const override = drv.get("overrideAttrs");
  const extended = (old: Attrs): Lazy =>
    lazy(() => updateAttrs(forceAttrs(getOr(old, "meta", Attrs.empty)), forceAttrs(added)));
  if (override === undefined) return updateAttrs(drv, Attrs.from([["meta", extended(drv)]]));
  return call(
    override,
    fn("addMetaAttrs", 1, (old) => Attrs.from([["meta", extended(forceAttrs(old))]])),
  );
}

function priority(value: Lazy): Attrs {
  return Attrs.from([["priority", value]]);
}

function mapDerivations(f: (drv: Lazy) => Lazy, set: Lazy): Attrs {
  return mapBare(forceAttrs(set), (value) => lazy(() => (isDerivation(force(value)) ? f(value) : value)));
}

/** Whether a platform is one of those that an element of `meta.platforms` means. */
function platformMatch(platform: Attrs, lazyElement: Lazy): boolean {
  const element = force(lazyElement);
  if (isString(element)) {
    const system = platform.get("system");
    return system !== undefined && equal(element, system);
  }
  const pattern = forceAttrs(element);
  return matches(pattern.has("parsed") ? pattern : Attrs.from([["parsed", pattern]]), platform);
}

export function metaNamespace(ev: Evaluator): Namespace {
  const known = licenses();
  const bySpdx = new Map(
    Object.values(known).flatMap((license): [string, Attrs][] => {
      const id = license.get("spdxId");
      return id === undefined ? [] : [[forceText(id), license]];
    }),
  );
  const byLowerCase = new Map([...bySpdx].map(([id, license]) => [id.toLowerCase(), license]));
  const executable = (lazyPackage: Lazy, lazyName: Lazy): Lazy => {
    const drv = force(lazyPackage);
    if (!isDerivation(drv))
      throw new ThrownError(
        `lib.meta.getExe': The first argument is of type ${typeOf(drv)}, but it should be a derivation instead.`,
      );
    const name = force(lazyName);
    if (!isString(name))
      throw new ThrownError(
        `lib.meta.getExe': The second argument is of type ${typeOf(name)}, but it should be a string instead.`,
      );
    if (textOf(name).includes("/"))
      throw new ThrownError(
        `lib.meta.getExe': The second argument "${textOf(name)}" is a nested path with a "/" character, but it should just be the name of the executable instead.`,
      );
    const output = getOutput("bin", drv);
    return joinStrings(joinStrings(ev.coerceToString(output), "/bin/"), name);
  };
  const mainProgram = (lazyPackage: Lazy): Lazy => {
    const named = findByPath(["meta", "mainProgram"], lazyPackage);
    if (named !== undefined) return named;
    const drv = force(lazyPackage);
    if (!(drv instanceof Attrs)) return "";
    const name = findByPath(["meta", "name"], drv) ?? drv.get("pname") ?? attribute(drv, "name");
    ev.host.message(
      "warning",
      `getExe: Package ${escapeNixIdentifier(forceText(name))} does not have the meta.mainProgram attribute; its main program is assumed to have the same name. Please set \`meta.mainProgram\`, or use \`getExe' package "program"\`.`,
    );
    return (
      drv.get("pname") ?? attribute(forceAttrs(call(ev.builtins.get("parseDrvName")!, attribute(drv, "name"))), "name")
    );
  };
  const listed = (platform: Attrs, drv: Lazy, field: string): boolean | undefined => {
    const platforms = findByPath(["meta", field], drv);
    return platforms === undefined
      ? undefined
      : forceList(platforms).some((element) => platformMatch(platform, element));
  };
  const unknownLicense = (id: string): Lazy => {
    ev.host.message("warning", `getLicenseFromSpdxId: No license with the given SPDX ID found: ${id}`);
    return Attrs.from([
      ["shortName", id],
      ["spdxId", id],
    ]);
  };
  return {
    defaultPriority: DEFAULT_PRIORITY,
    licensesSpdx: Attrs.from(bySpdx),
    ...functions({
      addMetaAttrs: addMeta,
      dontDistribute: (drv) => addMeta(Attrs.from([["hydraPlatforms", []]]), drv),
      setName: (name, drv) => updateAttrs(forceAttrs(drv), Attrs.from([["name", name]])),
      updateName: (update, drv) => {
        const attrs = forceAttrs(drv);
        return updateAttrs(attrs, Attrs.from([["name", callLater(update, attribute(attrs, "name"))]]));
      },
      appendToName: (suffix, drv) => {
        const attrs = forceAttrs(drv);
        const renamed = lazy(() => {
          const parsed = forceAttrs(call(ev.builtins.get("parseDrvName")!, attribute(attrs, "name")));
          return `${forceText(attribute(parsed, "name"))}-${forceText(suffix)}-${forceText(attribute(parsed, "version"))}`;
        });
        return updateAttrs(attrs, Attrs.from([["name", renamed]]));
      },
      cpeFullVersionWithVendor: (vendor, version) =>
        Attrs.from([
          ["vendor", vendor],
          ["version", version],
          ["update", "*"],
        ]),
      mapDerivationAttrset: (f, set) => mapDerivations((drv) => call(f, drv), set),
      setPrio: (value, drv) => addMeta(priority(value), drv),
      lowPrio: (drv) => addMeta(priority(10), drv),
      lowPrioSet: (set) => mapDerivations((drv) => addMeta(priority(10), drv), set),
      hiPrio: (drv) => addMeta(priority(-10), drv),
      hiPrioSet: (set) => mapDerivations((drv) => addMeta(priority(-10), drv), set),
      platformMatch: (platform, element) => platformMatch(forceAttrs(platform), element),
      availableOn: (platform, drv) => {
        const on = forceAttrs(platform);
        return listed(on, drv, "platforms") !== false && listed(on, drv, "badPlatforms") !== true;
      },
      getLicenseFromSpdxId: (id) => byLowerCase.get(forceText(id).toLowerCase()) ?? unknownLicense(forceText(id)),
      getLicenseFromSpdxIdOr: (id, otherwise) => byLowerCase.get(forceText(id).toLowerCase()) ?? otherwise,
      getExe: (drv) => executable(drv, mainProgram(drv)),
      "getExe'": executable,
    }),
  };
}
