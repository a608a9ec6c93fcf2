/** `buildEnv`: one tree of links out of many packages. */
import {
  Attrs,
  EvalError,
  force,
  isString,
  type Lazy,
  lazy,
  type NixString,
  textOf,
  type Value,
} from "../../lang/index.ts";
import { makeOverridable } from "../customisation.ts";
import type { Scope } from "../scope.ts";
import {
  attribute,
  expectSet,
  expectString,
  flag,
  fn,
  given,
  join,
  listAttribute,
  merge,
  set,
  setFunction,
  textAttribute,
} from "../values.ts";
import { environmentScript, type TrivialBuilders } from "./trivial.ts";

const formals = {
  name: true,
  pname: true,
  version: true,
  paths: false,
  manifest: true,
  pathsToLink: true,
  ignoreCollisions: true,
  checkCollisionContents: true,
  extraOutputsToInstall: true,
  extraPrefix: true,
  includeClosures: true,
  nativeBuildInputs: true,
  buildInputs: true,
  passthru: true,
  meta: true,
  postBuild: true,
  derivationArgs: true,
};

export function createBuildEnv(scope: Scope, trivial: TrivialBuilders): Lazy {
  const build = setFunction("buildEnv", formals, (args) => {
    const name = given(args, "name") ?? combinedName(args);
    return trivial.runCommand(
      expectString(name, "name"),
      merge(
        expectSet(attribute(args, "derivationArgs") ?? Attrs.empty, "derivationArgs"),
        environmentAttributes(scope, args),
        set({
          nativeBuildInputs: listAttribute(args, "nativeBuildInputs").slice(),
          buildInputs: listAttribute(args, "buildInputs").slice(),
          passthru: attribute(args, "passthru") ?? Attrs.empty,
          meta: attribute(args, "meta") ?? Attrs.empty,
        }),
      ),
      lazy(
        () => scope.ev.str`${environmentScript("build-env")}
linkEnvironment
${manifest(scope, args)}
${given(args, "postBuild") ?? ""}
`,
      ),
      { local: true },
    );
  });
  return fn("buildEnv", 1, (args) => makeOverridable(build, expectSet(args, "the argument of buildEnv")));
}

/** What `linkEnvironment` reads. */
export function environmentAttributes(scope: Scope, args: Attrs): Attrs {
  const { ev } = scope;
  const collisions = given(args, "ignoreCollisions");
  return set({
    chosenOutputs: lazy(() => join(ev, "\n", chosenOutputs(scope, args))),
    pathsToLink: given(args, "pathsToLink") === undefined ? "/" : [...listAttribute(args, "pathsToLink")],
    extraPrefix: given(args, "extraPrefix") ?? "",
    ignoreCollisions: collisions === true ? 1 : collisions === undefined || collisions === false ? "" : collisions,
    checkCollisionContents: flag(args, "checkCollisionContents", true),
    passAsFile: [],
  });
}

/** Lines `PRIORITY PATH` for every output to be linked. */
function chosenOutputs(scope: Scope, args: Attrs): Lazy[] {
  const extra = listAttribute(args, "extraOutputsToInstall").map((name) => textOf(force(name) as NixString));
  const lines: Lazy[] = [];
  for (const path of listAttribute(args, "paths")) {
    const value = force(path);
    if (value === null) continue;
    if (!(value instanceof Attrs)) {
      lines.push(scope.ev.str`5 ${value}`);
      continue;
    }
    const meta = attribute(value, "meta");
    const priority = meta instanceof Attrs ? (given(meta, "priority") ?? 5) : 5;
    if (typeof priority !== "number") throw new EvalError("meta.priority must be a whole number");
    for (const output of outputsToLink(value, meta instanceof Attrs ? meta : Attrs.empty, extra))
      lines.push(scope.ev.str`${String(priority)} ${output}`);
  }
  return lines;
}

function outputsToLink(value: Attrs, meta: Attrs, extra: readonly string[]): Lazy[] {
  const specified = attribute(value, "outputSpecified") === true;
  const wanted = given(meta, "outputsToInstall");
  const first: Lazy[] =
    specified || !Array.isArray(wanted)
      ? [value]
      : (wanted as readonly Lazy[]).map((name) => value.get(textOf(force(name) as NixString)) ?? value);
  const more = extra
    .map((name) => value.get(name))
    .filter((output): output is Lazy => output !== undefined && force(output) !== null);
  return [...first, ...more.filter((output) => force(output) instanceof Attrs)];
}

function manifest(scope: Scope, args: Attrs): NixString {
  const value: Value | undefined = given(args, "manifest");
  if (value === undefined || (isString(value) && textOf(value) === "")) return "";
  return scope.ev.str`ln -s ${value} $out/manifest`;
}

function combinedName(args: Attrs): string {
  const pname = textAttribute(args, "pname");
  if (pname === undefined) throw new EvalError("buildEnv wants 'name', or 'pname' and 'version'");
  const version = textAttribute(args, "version");
  return version === undefined ? pname : `${pname}-${version}`;
}
