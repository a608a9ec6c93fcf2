/** What the pdm module asks of `lock.refresh`. */
import { type Attrs, NixPath, toNix } from "../../../lang/index.ts";
import type { ModuleScope } from "../../../modules/index.ts";
import { builtin, later, merged, scriptDerivation, text } from "../../support.ts";
import { pdmAttribute } from "../lock/refresh.ts";
import { libraryOf } from "./project.ts";

/**
 * One of `lock.extraScripts`. d2n itself runs a pdm out of the index, by the settings that the attribute holds; as a program it
 * runs whatever pdm is on PATH.
 */
export function pdmScript(m: ModuleScope): Attrs {
  const { config, ev } = m;
  const bash = config.at("deps", "bash");
  const python = config.at("deps", "python");
  const t = text(ev);
  const settings = toNix({
    interpreter: later(() => t`${python}/bin/python`),
    pythonVersion: later(() => python.at("version")),
    system: later(() => python.at("system")),
    bootstrapPip: later(() => t`${python.at("pkgs", "pip")}/${python.at("sitePackages")}`),
    pdmVersion: config.at("pdm", "pdmVersion"),
    useUv: config.at("pdm", "useUvResolver"),
    folder: config.at("paths", "package"),
    lockFile: later(() => lockFileName(m)),
    libraryVersion: later(() => libraryOf(m, python.at("system").text()).libraryVersion),
    musl: later(() => libraryOf(m, python.at("system").text()).musl),
    sourceSelector: later(() => {
      const choice = config.at("pdm", "sourceSelector").get();
      return choice === "wheel" || choice === "sdist" ? choice : null;
    }),
    overridden: later(() => config.at("overrides").names()),
    path: later(() =>
      [config.at("deps", "coreutils"), bash].map((pkg) => t`${m.system.view(m.lib.at("getBin").call(pkg))}/bin`),
    ),
  });
  const derivation = scriptDerivation(ev, {
    name: "pdm-lock",
    system: bash.at("system"),
    bash,
    coreutils: config.at("deps", "coreutils"),
    script: 'cp "$programPath" "$out"; chmod 555 "$out"',
    files: {
      program: later(
        () => t`#!${bash}/bin/bash
set -e
cd "$(${config.at("paths", "findRoot")})"/${builtin(ev, "toJSON", config.at("paths", "package"))}
exec pdm lock
`,
      ),
    },
  });
  return merged(derivation, [[pdmAttribute, settings]]);
}

function lockFileName(m: ModuleScope): string {
  const file = m.config.at("pdm", "lockfile").get();
  const path = file instanceof NixPath ? file.path : m.config.at("pdm", "lockfile").textWithoutContext();
  return path.slice(path.lastIndexOf("/") + 1);
}
