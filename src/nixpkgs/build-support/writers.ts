/** `pkgs.writers`: scripts in some languages. */
import {
  Attrs,
  callFunction,
  force,
  isString,
  type Lazy,
  lazy,
  NixPath,
  type NixString,
  textOf,
  type Value,
} from "../../lang/index.ts";
import { packageOf, type Scope } from "../scope.ts";
import { attribute, expectSet, expectText, fn, listAttribute, set } from "../values.ts";
import type { TrivialBuilders } from "./trivial.ts";

export function createWriters(scope: Scope, trivial: TrivialBuilders): Attrs {
  const { ev } = scope;

  /** A script with an interpreter line; `name` may be a path such as "/bin/x". */
  const script = (
    name: Lazy,
    interpreter: Lazy,
    content: Lazy,
    bin: boolean,
    check: Lazy = "",
    wrapper: readonly Lazy[] = [],
  ): Attrs => {
    const text = expectText(name, "the name of a script");
    const destination = text.startsWith("/") ? text : bin ? `/bin/${text}` : "";
    const body = lazy(() => {
      const value: Value = force(content);
      const source: NixString =
        value instanceof NixPath
          ? (callFunction(attribute(scope.ev.builtins, "readFile")!, value) as NixString)
          : isString(value)
            ? value
            : ev.coerceToString(value);
      return ev.str`#!${interpreter}\n\n${source}\n`;
    });
    return trivial.runCommand(
      text.slice(text.lastIndexOf("/") + 1),
      set({
        body,
        destination,
        check,
        makeWrapperArgs: [...wrapper],
        passAsFile: ["body"],
        meta: { mainProgram: text.slice(text.lastIndexOf("/") + 1) },
      }),
      `target=$out$destination
mkdir -p "$(dirname "$target")"
cp "$bodyPath" "$target"
chmod +x "$target"
eval "$check"
if [ -n "$makeWrapperArgs" ]; then wrapProgram "$target" $makeWrapperArgs; fi
`,
      { local: true },
    );
  };

  /** Options come as a set before the content, or not at all. */
  const writer = (name: string, bin: boolean, interpreter: Lazy, check: Lazy = ""): Lazy =>
    fn(name, 2, (label, options) => {
      const value = force(options);
      if (value instanceof Attrs && !value.has("outPath")) {
        const wrapper = listAttribute(value, "makeWrapperArgs");
        return fn(name, 1, (content) =>
          script(label, interpreter, content, bin, attribute(value, "check") ?? check, wrapper),
        );
      }
      return script(label, interpreter, options, bin, check);
    });

  const bash = lazy(() => ev.str`${packageOf(scope, "bash")}/bin/bash`);
  const bashCheck = lazy(() => ev.str`${bash} -n "$target"`);

  const python = (attributeName: string, bin: boolean): Lazy =>
    fn(attributeName, 3, (name, options, content) => {
      const given = expectSet(options, "the options of writePython3");
      const interpreter = lazy(() => {
        const base = expectSet(packageOf(scope, "python3"), "python3");
        const libraries = attribute(given, "libraries");
        if (libraries === undefined || (Array.isArray(libraries) && libraries.length === 0))
          return attribute(base, "interpreter")!;
        const choose = Array.isArray(libraries)
          ? fn("libraries", 1, (): Lazy => libraries as readonly Lazy[])
          : libraries;
        const environment = expectSet(callFunction(attribute(base, "withPackages")!, choose), "an environment");
        return attribute(environment, "interpreter")!;
      });
      const check = lazy(
        () =>
          ev.str`${interpreter} -B -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$target"`,
      );
      return script(name, interpreter, content, bin, check, listAttribute(given, "makeWrapperArgs"));
    });

  const data = (name: string, format: (value: Lazy) => Lazy): Lazy =>
    fn(name, 2, (label, value) =>
      trivial.writeTextFile(set({ name: expectText(label, "the name of a file"), text: lazy(() => format(value)) })),
    );

  return set({
    writeBash: writer("writeBash", false, bash, bashCheck),
    writeBashBin: writer("writeBashBin", true, bash, bashCheck),
    writeDash: writer(
      "writeDash",
      false,
      lazy(() => ev.str`${packageOf(scope, "bash")}/bin/sh`),
      bashCheck,
    ),
    writeDashBin: writer(
      "writeDashBin",
      true,
      lazy(() => ev.str`${packageOf(scope, "bash")}/bin/sh`),
      bashCheck,
    ),
    writePython3: python("writePython3", false),
    writePython3Bin: python("writePython3Bin", true),
    writeText: fn("writeText", 2, (label, text) =>
      trivial.writeTextFile(set({ name: expectText(label, "the name of a file"), text })),
    ),
    writeJSON: data("writeJSON", (value) => callFunction(attribute(ev.builtins, "toJSON")!, value)),
    makeScriptWriter: fn("makeScriptWriter", 3, (options, name, content) => {
      const given = expectSet(options, "the options of makeScriptWriter");
      return script(
        name,
        attribute(given, "interpreter")!,
        content,
        textOf(ev.coerceToString(name)).startsWith("/"),
        attribute(given, "check") ?? "",
        listAttribute(given, "makeWrapperArgs"),
      );
    }),
  });
}
