/** Trivial builders: derivations out of a text, a command, a few links. */
import {
  Attrs,
  EvalError,
  force,
  isString,
  type Lazy,
  lazy,
  type NixString,
  textOf,
  updateAttrs,
} from "../../lang/index.ts";
import { builderText } from "../builder-files.ts";
import { packageOf, type Scope } from "../scope.ts";
import {
  attribute,
  expectList,
  expectSet,
  expectString,
  expectText,
  flag,
  fn,
  given,
  join,
  listAttribute,
  merge,
  omit,
  set,
  setFunction,
  textAttribute,
} from "../values.ts";
import { makeOverridable } from "../customisation.ts";
import { callFunction } from "../../lang/index.ts";

export interface TrivialBuilders {
  runCommand(
    name: NixString,
    attrs: Attrs,
    command: Lazy,
    options?: { readonly local?: boolean; readonly cc?: boolean },
  ): Attrs;
  writeTextFile(args: Attrs): Attrs;
  /** By attribute of the package set. */
  readonly attributes: Readonly<Record<string, Lazy>>;
}

export function createTrivialBuilders(scope: Scope, stdenv: Lazy, stdenvNoCC: Lazy): TrivialBuilders {
  const { ev } = scope;
  const shell = lazy(() => ev.str`${packageOf(scope, "bash")}/bin/bash`);
  const makeWith = (environment: Lazy, attrs: Attrs): Attrs =>
    expectSet(
      callFunction(force(attribute(expectSet(environment, "stdenv"), "mkDerivation")!), attrs),
      "the derivation",
    );

  const runCommand: TrivialBuilders["runCommand"] = (name, attrs, command, { local = false, cc = false } = {}) => {
    const own = attribute(attrs, "derivationArgs");
    const given = own instanceof Attrs ? merge(omit(attrs, new Set(["derivationArgs"])), own) : attrs;
    return makeWith(
      attribute(given, "stdenv") ?? (cc ? stdenv : stdenvNoCC),
      merge(
        set({
          enableParallelBuilding: true,
          name,
          buildCommand: command,
          passAsFile: ["buildCommand", ...listAttribute(given, "passAsFile")],
        }),
        omit(given, new Set(["passAsFile", "stdenv"])),
        local ? set({ preferLocalBuild: true, allowSubstitutes: false }) : Attrs.empty,
      ),
    );
  };

  const writeTextFile = (args: Attrs): Attrs => {
    const name = expectString(args.get("name") ?? args.get("pname") ?? missing("writeTextFile", "name"), "name");
    const executable = flag(args, "executable");
    const destination = given(args, "destination") ?? "";
    const checkPhase = given(args, "checkPhase") ?? "";
    const meta = attribute(args, "meta") ?? Attrs.empty;
    const main = isString(destination) ? /^\/bin\/([^/]+)$/.exec(textOf(destination))?.[1] : undefined;
    return runCommand(
      name,
      merge(
        set({
          text: args.get("text") ?? missing("writeTextFile", "text"),
          executable,
          destination,
          checkPhase,
          passAsFile: ["text"],
          preferLocalBuild: flag(args, "preferLocalBuild", true),
          allowSubstitutes: flag(args, "allowSubstitutes", false),
          meta: merge(main === undefined ? Attrs.empty : set({ mainProgram: main }), expectSet(meta, "meta")),
          passthru: attribute(args, "passthru") ?? Attrs.empty,
        }),
        expectSet(attribute(args, "derivationArgs") ?? Attrs.empty, "derivationArgs"),
      ),
      `target=$out$destination
mkdir -p "$(dirname "$target")"
if [ -e "$textPath" ]; then mv "$textPath" "$target"; else printf '%s' "$text" > "$target"; fi
if [ -n "$executable" ]; then chmod +x "$target"; fi
eval "$checkPhase"
`,
    );
  };

  const text = (name: Lazy, content: Lazy, more: Parameters<typeof set>[0] = {}): Attrs =>
    writeTextFile(set({ name: expectString(name, "the name of a text file"), text: content, ...more }));
  const syntaxCheck = lazy(() => ev.str`${shell} -n -O extglob "$target"`);
  const shebang = (content: Lazy): Lazy => lazy(() => ev.str`#!${shell}\n${content}\n`);
  const inBin = (name: Lazy): string => `/bin/${expectText(name, "the name of a script")}`;

  const attributes: Record<string, Lazy> = {
    runtimeShell: shell,
    runtimeShellPackage: lazy(() => packageOf(scope, "bash")),
    runCommand: fn("runCommand", 3, (name, attrs, command) =>
      runCommand(expectString(name, "name"), expectSet(attrs, "the attributes of runCommand"), command),
    ),
    runCommandLocal: fn("runCommandLocal", 3, (name, attrs, command) =>
      runCommand(expectString(name, "name"), expectSet(attrs, "the attributes of runCommandLocal"), command, {
        local: true,
      }),
    ),
    runCommandCC: fn("runCommandCC", 3, (name, attrs, command) =>
      runCommand(expectString(name, "name"), expectSet(attrs, "the attributes of runCommandCC"), command, { cc: true }),
    ),
    runCommandWith: fn("runCommandWith", 2, (options, command) => {
      const given = expectSet(options, "the options of runCommandWith");
      const derivationArgs = expectSet(attribute(given, "derivationArgs") ?? Attrs.empty, "derivationArgs");
      const environment = attribute(given, "stdenv");
      return runCommand(
        expectString(given.get("name") ?? missing("runCommandWith", "name"), "name"),
        environment === undefined ? derivationArgs : updateAttrs(derivationArgs, set({ stdenv: environment })),
        command,
        {
          local: flag(given, "runLocal"),
          cc: true,
        },
      );
    }),
    writeTextFile: setFunction(
      "writeTextFile",
      {
        name: true,
        text: false,
        executable: true,
        destination: true,
        checkPhase: true,
        meta: true,
        passthru: true,
        allowSubstitutes: true,
        preferLocalBuild: true,
        derivationArgs: true,
      },
      writeTextFile,
    ),
    writeText: fn("writeText", 2, (name, content) => text(name, content)),
    writeTextDir: fn("writeTextDir", 2, (path, content) => {
      const where = expectText(path, "the path of writeTextDir");
      return text(where.slice(where.lastIndexOf("/") + 1), content, { destination: `/${where}` });
    }),
    writeScript: fn("writeScript", 2, (name, content) => text(name, content, { executable: true })),
    writeScriptBin: fn("writeScriptBin", 2, (name, content) =>
      text(name, content, { executable: true, destination: inBin(name) }),
    ),
    writeShellScript: fn("writeShellScript", 2, (name, content) =>
      text(name, shebang(content), { executable: true, checkPhase: syntaxCheck }),
    ),
    writeShellScriptBin: fn("writeShellScriptBin", 2, (name, content) =>
      text(name, shebang(content), {
        executable: true,
        destination: inBin(name),
        checkPhase: syntaxCheck,
        meta: { mainProgram: expectText(name, "name") },
      }),
    ),
    writeShellApplication: setFunction(
      "writeShellApplication",
      {
        name: false,
        text: false,
        runtimeInputs: true,
        runtimeEnv: true,
        meta: true,
        checkPhase: true,
        excludeShellChecks: true,
        extraShellCheckFlags: true,
        bashOptions: true,
        derivationArgs: true,
        passthru: true,
        inheritPath: true,
      },
      (args) => shellApplication(args),
    ),
    concatTextFile: setFunction(
      "concatTextFile",
      { name: false, files: false, executable: true, destination: true, checkPhase: true, meta: true, passthru: true },
      (args) => concatTextFile(args),
    ),
    concatText: fn("concatText", 2, (name, files) => concatTextFile(set({ name: expectString(name, "name"), files }))),
    concatScript: fn("concatScript", 2, (name, files) =>
      concatTextFile(set({ name: expectString(name, "name"), files, executable: true })),
    ),
    symlinkJoin: fn("symlinkJoin", 1, (args) => {
      const build = setFunction(
        "symlinkJoin",
        {
          name: true,
          paths: false,
          postBuild: true,
          preferLocalBuild: true,
          allowSubstitutes: true,
          stripPrefix: true,
          failOnMissing: true,
        },
        (given) => symlinkJoin(given),
      );
      return makeOverridable(build, expectSet(args, "the argument of symlinkJoin"));
    }),
    linkFarm: fn("linkFarm", 2, (name, entries) => linkFarm(expectString(name, "name"), entries)),
    linkFarmFromDrvs: fn("linkFarmFromDrvs", 2, (name, packages) =>
      linkFarm(
        expectString(name, "name"),
        expectList(packages, "the packages of linkFarmFromDrvs").map((entry) =>
          set({ name: lazy(() => expectSet(entry, "a package").get("name")!), path: entry }),
        ),
      ),
    ),
    onlyBin: fn("onlyBin", 1, (drv) => {
      const name = expectString(expectSet(drv, "a package").get("name")!, "name");
      return runCommand(ev.str`${name}-only-bin`, Attrs.empty, ev.str`mkdir -p $out; ln -s ${drv}/bin $out/bin`);
    }),
    writeReferencesToFile: fn("writeReferencesToFile", 1, (path) =>
      runCommand(
        "runtime-deps",
        set({ exportReferencesGraph: ["graph", path] }),
        `touch $out; while read path; do echo $path >> $out; read dummy; read nrRefs; for ((i = 0; i < nrRefs; i++)); do read ref; done; done < graph`,
      ),
    ),
    writeClosure: fn("writeClosure", 1, (paths) =>
      runCommand(
        "runtime-deps",
        set({ __structuredAttrs: true, exportReferencesGraph: { graph: paths } }),
        `grep -o '"path":"[^"]*"' "$NIX_ATTRS_JSON_FILE" | cut -d'"' -f4 | sort -u > "$out"`,
      ),
    ),
    emptyFile: lazy(() =>
      fixed("empty-file", "touch $out", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "flat"),
    ),
    emptyDirectory: lazy(() =>
      fixed("empty-directory", "mkdir $out", "sha256-pQpattmS9VmO3ZIQUFn66az8GSmB4IvYhTTCFn6SUmo=", "recursive"),
    ),
    srcOnly: fn("srcOnly", 1, (argument) => srcOnly(expectSet(argument, "the argument of srcOnly"))),
    applyPatches: setFunction("applyPatches", { src: false, name: true, patches: true }, (args) =>
      srcOnly(updateAttrs(args, set({ name: attribute(args, "name") ?? ev.str`${sourceName(args)}-patched` }))),
    ),
    makeSetupHook: fn("makeSetupHook", 2, (options, script) =>
      setupHook(expectSet(options, "the options of makeSetupHook"), script),
    ),
    substituteAll: fn("substituteAll", 1, (args) => substituteAll(expectSet(args, "the argument of substituteAll"))),
    replaceVars: fn("replaceVars", 2, (source, replacements) =>
      substituteAll(
        updateAttrs(
          expectSet(replacements, "the replacements"),
          set({ src: source, name: lazy(() => baseName(source)) }),
        ),
      ),
    ),
  };

  function shellApplication(args: Attrs): Attrs {
    const name = expectString(args.get("name")!, "name");
    const options =
      given(args, "bashOptions") === undefined
        ? ["errexit", "nounset", "pipefail"]
        : listAttribute(args, "bashOptions");
    const inputs = listAttribute(args, "runtimeInputs");
    const environment = attribute(args, "runtimeEnv");
    const variables = environment instanceof Attrs ? [...environment.entries()] : [];
    const quoted = (value: Lazy): NixString => {
      const string = ev.coerceToString(value, { coerceMore: true });
      const escaped = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
      return isString(string) && typeof string === "string" ? escaped(string) : ev.str`'${string}'`;
    };
    const path =
      inputs.length === 0
        ? ""
        : ev.str`\nexport PATH="${join(
            ev,
            ":",
            inputs.map((input) => ev.str`${binOutput(input)}/bin`),
          )}:$PATH"\n`;
    const body = ev.str`#!${shell}
${join(
  ev,
  "\n",
  options.map((option) => ev.str`set -o ${option}`),
)}
${join(
  ev,
  "",
  variables.map(([variable, value]) => ev.str`${variable}=${quoted(value)}\nexport ${variable}\n`),
)}${path}
${args.get("text")!}
`;
    return writeTextFile(
      merge(
        set({
          name,
          text: body,
          executable: true,
          destination: `/bin/${textOf(name)}`,
          meta: updateAttrs(
            set({ mainProgram: textOf(name) }),
            expectSet(attribute(args, "meta") ?? Attrs.empty, "meta"),
          ),
          passthru: attribute(args, "passthru") ?? Attrs.empty,
          derivationArgs: attribute(args, "derivationArgs") ?? Attrs.empty,
          checkPhase: given(args, "checkPhase") ?? syntaxCheck,
        }),
      ),
    );
  }

  function concatTextFile(args: Attrs): Attrs {
    return runCommand(
      expectString(args.get("name")!, "name"),
      set({
        files: listAttribute(args, "files").slice(),
        executable: flag(args, "executable"),
        destination: given(args, "destination") ?? "",
        checkPhase: given(args, "checkPhase") ?? "",
        meta: attribute(args, "meta") ?? Attrs.empty,
        passthru: attribute(args, "passthru") ?? Attrs.empty,
      }),
      `target=$out$destination
mkdir -p "$(dirname "$target")"
cat $files > "$target"
if [ -n "$executable" ]; then chmod +x "$target"; fi
eval "$checkPhase"
`,
      { local: true },
    );
  }

  function symlinkJoin(args: Attrs): Attrs {
    const pname = textAttribute(args, "pname");
    const version = textAttribute(args, "version");
    const name =
      given(args, "name") ??
      (pname === undefined ? missing("symlinkJoin", "name") : `${pname}${version === undefined ? "" : `-${version}`}`);
    return runCommand(
      expectString(name, "name"),
      merge(
        omit(args, new Set(["name", "postBuild", "stripPrefix", "failOnMissing"])),
        set({
          paths: listAttribute(args, "paths").map((path) => ev.str`${path}${given(args, "stripPrefix") ?? ""}`),
          failOnMissing: flag(args, "failOnMissing", true),
          postBuild: given(args, "postBuild") ?? "",
          passAsFile: ["paths", ...listAttribute(args, "passAsFile")],
          preferLocalBuild: flag(args, "preferLocalBuild", true),
          allowSubstitutes: flag(args, "allowSubstitutes", false),
        }),
      ),
      `mkdir -p $out
for path in $(cat "$pathsPath"); do
  if [ ! -d "$path" ]; then
    if [ -n "$failOnMissing" ]; then echo "symlinkJoin: $path is not a directory" >&2; exit 1; fi
    continue
  fi
  (cd "$path" && find . -mindepth 1 -type d -printf '%P\\0' | (cd $out && xargs -0 -r mkdir -p --))
  (cd "$path" && find . -mindepth 1 '!' -type d -printf '%P\\0') | while IFS= read -r -d '' file; do
    if [ -e "$out/$file" ] || [ -L "$out/$file" ]; then continue; fi
    ln -s "$path/$file" "$out/$file"
  done
done
eval "$postBuild"
`,
    );
  }

  function linkFarm(name: NixString, entries: Lazy): Attrs {
    const value = force(entries);
    const pairs: [NixString, Lazy][] =
      value instanceof Attrs
        ? [...value.entries()]
        : expectList(value, "the entries of linkFarm").map((entry) => {
            const pair = expectSet(entry, "an entry of linkFarm");
            return [expectString(pair.get("name")!, "name"), pair.get("path")!];
          });
    const last = new Map(pairs.map(([linkName, target]) => [textOf(linkName), target]));
    const lines = [...last].map(
      ([linkName, target]) => ev.str`mkdir -p "$(dirname ${quote(linkName)})"; ln -s ${target} ${quote(linkName)}`,
    );
    return runCommand(
      name,
      set({ passthru: { entries: Attrs.from(last) } }),
      ev.str`mkdir -p $out
cd $out
${join(ev, "\n", lines)}
`,
      { local: true },
    );
  }

  function setupHook(options: Attrs, script: Lazy): Attrs {
    const substitutions = attribute(options, "substitutions");
    const replaced =
      substitutions instanceof Attrs
        ? [...substitutions.entries()].map(([name, value]) => ev.str`--subst-var-by ${name} ${quotedString(value)} `)
        : [];
    const propagated = [...listAttribute(options, "propagatedBuildInputs"), ...listAttribute(options, "deps")];
    return runCommand(
      expectString(attribute(options, "name") ?? "hook", "name"),
      merge(
        set({
          meta: attribute(options, "meta") ?? Attrs.empty,
          passthru: attribute(options, "passthru") ?? Attrs.empty,
          strictDeps: true,
          script,
          propagatedHookInputs: propagated,
        }),
      ),
      ev.str`mkdir -p $out/nix-support
cp "$script" $out/nix-support/setup-hook
chmod u+w $out/nix-support/setup-hook
if [ -n "$propagatedHookInputs" ]; then printf '%s' "$propagatedHookInputs" > $out/nix-support/propagated-build-inputs; fi
substituteInPlace $out/nix-support/setup-hook ${join(ev, "", replaced)}
`,
    );
  }

  function substituteAll(args: Attrs): Attrs {
    return runCommand(
      expectString(attribute(args, "name") ?? baseName(args.get("src")!), "name"),
      updateAttrs(args, set({ preferLocalBuild: true, allowSubstitutes: false })),
      `substituteAll $src $out
if [ -n "\${isExecutable:-}" ]; then chmod +x $out; fi
`,
    );
  }

  function srcOnly(args: Attrs): Attrs {
    const drvAttrs = attribute(args, "drvAttrs");
    const from = drvAttrs instanceof Attrs ? drvAttrs : args;
    const name =
      attribute(args, "drvAttrs") === undefined
        ? attribute(args, "name")
        : ev.str`${expectString(args.get("name")!, "name")}-source`;
    return makeWith(
      stdenvNoCC,
      merge(
        omit(from, new Set(["outputs", "builder", "args", "stdenv", "system"])),
        set({
          name: name ?? "source",
          phases: ["unpackPhase", "patchPhase", "installPhase"],
          installPhase: "runHook preInstall; cp -pr --reflink=auto -- . $out; runHook postInstall",
          preferLocalBuild: true,
          allowSubstitutes: false,
        }),
      ),
    );
  }

  function sourceName(args: Attrs): NixString {
    const source = given(args, "src");
    const name = source instanceof Attrs ? attribute(source, "name") : undefined;
    return name !== undefined && isString(name) ? name : "source";
  }

  function fixed(name: string, command: string, hash: string, mode: string): Attrs {
    return runCommand(
      name,
      set({ outputHash: hash, outputHashAlgo: "sha256", outputHashMode: mode, preferLocalBuild: true }),
      command,
    );
  }

  function quotedString(value: Lazy): NixString {
    const string = ev.coerceToString(value, { coerceMore: true });
    return typeof string === "string" ? quote(string) : ev.str`'${string}'`;
  }

  /** A file's name without the hash of the store. */
  function baseName(source: Lazy): string {
    const path = textOf(ev.coerceToString(source, { copyToStore: false }));
    return path.slice(path.lastIndexOf("/") + 1).replace(/^[0-9a-z]{32}-/, "");
  }

  return { runCommand, writeTextFile, attributes };
}

/** The output with programs. */
function binOutput(value: Lazy): Lazy {
  const forced = force(value);
  if (!(forced instanceof Attrs) || attribute(forced, "outputSpecified") === true) return forced;
  return forced.get("bin") ?? forced.get("out") ?? forced;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function missing(name: string, argument: string): never {
  throw new EvalError(`${name} called without the argument '${argument}'`);
}

/** The scripts of build-env, for commands that link environments. */
export function environmentScript(...names: string[]): string {
  return names.map((name) => builderText(`build-support/${name}.sh`)).join("\n");
}
