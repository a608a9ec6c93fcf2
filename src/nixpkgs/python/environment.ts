/** `python.buildEnv` and `python.withPackages`: an interpreter that finds packages by itself. */
import { Attrs, callFunction, force, type Lazy, lazy, updateAttrs } from "../../lang/index.ts";
import { environmentAttributes } from "../build-support/build-env.ts";
import { environmentScript, type TrivialBuilders } from "../build-support/trivial.ts";
import { makeOverridable } from "../customisation.ts";
import type { Scope } from "../scope.ts";
import { attribute, expectSet, flag, given, listAttribute, merge, set, setFunction } from "../values.ts";
import { requiredPythonModules } from "./modules.ts";

export interface EnvironmentContext {
  readonly scope: Scope;
  readonly trivial: TrivialBuilders;
  readonly python: Lazy;
  readonly executable: string;
  readonly sitePackages: string;
  readonly version: string;
  /** Attributes of the interpreter that its environments have too. */
  readonly passthru: () => Attrs;
}

const formals = {
  extraLibs: true,
  extraOutputsToInstall: true,
  postBuild: true,
  ignoreCollisions: true,
  permitUserSite: true,
  makeWrapperArgs: true,
};

/** `python.buildEnv`: overridable, so `python.buildEnv.override { extraLibs = … }`. */
export function createPythonEnvironment(context: EnvironmentContext): Lazy {
  const { scope, trivial, python } = context;
  const { ev } = scope;
  const build = setFunction("buildEnv", formals, (args) => {
    const packages = lazy(() => requiredPythonModules(ev, python, flatten(listAttribute(args, "extraLibs"))));
    const box: { self?: Attrs } = {};
    const name = `python3-${context.version}-env`;
    const passthru = lazy(() =>
      updateAttrs(
        context.passthru(),
        set({
          python,
          interpreter: lazy(() => ev.str`${box.self!}/bin/${context.executable}`),
          extraLibs: listAttribute(args, "extraLibs").slice(),
          env: lazy(() => interactive(context, box.self!)),
        }),
      ),
    );
    box.self = trivial.runCommand(
      name,
      merge(
        environmentAttributes(scope, merge(args, set({ paths: packages }))),
        set({
          python,
          pythonSitePackages: context.sitePackages,
          pythonFullVersion: context.version,
          makeWrapperArgs: listAttribute(args, "makeWrapperArgs").slice(),
          ...(flag(args, "permitUserSite") ? { permitUserSite: true } : {}),
          passthru,
          meta: { mainProgram: context.executable, description: "A Python interpreter with packages" },
        }),
      ),
      lazy(
        () => ev.str`${environmentScript("build-env", "python-env")}
buildPythonEnvironment
${given(args, "postBuild") ?? ""}
`,
      ),
      { local: true },
    );
    return box.self;
  });
  return makeOverridable(build, Attrs.empty);
}

/** `withPackages (ps: [ … ])`. */
export function withPackages(buildEnv: Lazy, packages: Lazy, choose: Lazy): Attrs {
  const chosen = lazy(() => callFunction(force(choose), packages));
  const override = attribute(expectSet(buildEnv, "buildEnv"), "override")!;
  return expectSet(callFunction(override, set({ extraLibs: chosen })), "an environment");
}

/** For `nix-shell -A env.env`: a shell with the environment in it. */
function interactive(context: EnvironmentContext, environment: Attrs): Attrs {
  return context.trivial.runCommand(
    `interactive-python3-${context.version}-environment`,
    set({ nativeBuildInputs: [environment] }),
    `echo >&2 "This derivation is for interactive shells only: nix-shell -A env."
exit 1`,
  );
}

function flatten(values: readonly Lazy[]): Lazy[] {
  return values.flatMap((value) => {
    const forced = force(value);
    return Array.isArray(forced) ? flatten(forced as readonly Lazy[]) : [forced];
  });
}
