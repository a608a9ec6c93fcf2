/** Modules that stand for options which were renamed, removed or merged. */
import {
  Attrs,
  callFunction,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  type Formals,
  type Lazy,
  lazy,
  nixValue,
  PrimOp,
  ThrownError,
  updateAttrs,
} from "../../lang/index.ts";
import { attribute, fn, fnWithFormals, type Namespace, textList, getOr } from "../../lib/index.ts";
import type { EvaluationContext } from "../evaluation.ts";
import { DEFAULT_PRIORITY, makeIf, makeMerge, makeOverride } from "../properties.ts";
import { showFiles, showOption } from "../show.ts";
import type { OptionPath } from "../types.ts";

/** The oldest release of nixpkgs that is still supported, as `YYMM`: from when on renames warn. */
const OLDEST_SUPPORTED_RELEASE = 2511;

function at(path: OptionPath, value: Lazy): Attrs {
  let nested = value;
  for (const name of [...path].reverse()) nested = Attrs.from([[name, nested]]);
  return nested as Attrs;
}

/** The value at a path; undefined if it goes nowhere. */
function find(path: OptionPath, from: Lazy): Lazy | undefined {
  let value: Lazy | undefined = from;
  for (const name of path) {
    const set: unknown = value === undefined ? null : force(value);
    if (!(set instanceof Attrs)) return undefined;
    value = set.get(name);
  }
  return value;
}

function get(path: OptionPath, from: Lazy): Lazy {
  const found = find(path, from);
  if (found === undefined) throw new ThrownError(`cannot find attribute '${showOption(path)}'`);
  return found;
}

const SCOPE: Formals = {
  names: new Map([
    ["config", false],
    ["options", false],
  ]),
  ellipsis: true,
};

const OPTIONS_ONLY: Formals = { names: new Map([["options", false]]), ellipsis: true };

/** A module function over `config` and `options`. */
function moduleOf(
  make: (scope: { readonly config: Lazy; readonly options: Lazy }) => Attrs,
  formals: Formals = SCOPE,
): PrimOp {
  return new PrimOp(
    "module",
    1,
    (args) => {
      const given = forceAttrs(args);
      const argument = (name: string): Lazy => lazy(() => attribute(given, name));
      return make({ config: argument("config"), options: argument("options") });
    },
    { formals },
  );
}

function option(fields: readonly (readonly [string, Lazy])[]): Attrs {
  return Attrs.from([["_type", "option"], ...fields]);
}

interface Rename {
  readonly from: OptionPath;
  readonly to: OptionPath;
  readonly visible: Lazy;
  readonly warn: boolean;
  /** What is done to the value when the old name is read. */
  readonly use: (value: Lazy) => Lazy;
  readonly withPriority: boolean;
  readonly condition: Lazy;
}

export function renames(context: EvaluationContext): Namespace {
  const definitionsOf = (found: Attrs, withPriority: boolean): Lazy =>
    lazy(() => {
      const definitions = forceList(attribute(found, "definitions"));
      if (!withPriority) return makeMerge(definitions);
      const priority = getOr(found, "highestPrio", DEFAULT_PRIORITY);
      return makeMerge(definitions.map((definition) => makeOverride(priority, definition)));
    });
  /** All definitions of an option, wrapped, if it has any. */
  const alias = (wrap: (value: Lazy) => Lazy, lazyOption: Lazy, withPriority: boolean): Attrs =>
    makeIf(
      lazy(() => attribute(forceAttrs(lazyOption), "isDefined")),
      lazy(() => wrap(definitionsOf(forceAttrs(lazyOption), withPriority))),
    );

  const rename = (how: Rename): PrimOp =>
    moduleOf(({ config, options }) => {
      const { from, to } = how;
      const old = lazy(() => get(from, options));
      const type = lazy(() => {
        const target = find(to, options);
        const found = target === undefined ? undefined : (force(target) as Attrs).get("type");
        return found ?? context.submoduleWith([], Attrs.empty, null)[nixValue];
      });
      const value = (): Lazy => {
        const found = find(to, config);
        if (found === undefined)
          throw new ThrownError(`Renaming error: option \`${showOption(to)}' does not exist.`, {
            code: "option-declaration",
          });
        return found;
      };
      const warnings = lazy(() => {
        if (!forceAttrs(options).has("warnings")) return Attrs.empty;
        const texts = lazy(() =>
          how.warn && forceBool((force(old) as Attrs).get("isDefined")!)
            ? [
                `The option \`${showOption(from)}' defined in ${showFiles(textList((force(old) as Attrs).get("files")!))} has been renamed to \`${showOption(to)}'.`,
              ]
            : [],
        );
        return Attrs.from([["warnings", texts]]);
      });
      return Attrs.from([
        [
          "options",
          at(
            from,
            option([
              ["visible", how.visible],
              ["description", `Alias of {option}\`${showOption(to)}\`.`],
              ["apply", fn("apply", 1, () => how.use(lazy(value)))],
              ["type", type],
            ]),
          ),
        ],
        [
          "config",
          makeIf(how.condition, makeMerge([warnings, alias((inner) => at(to, inner), old, how.withPriority)])),
        ],
      ]);
    });

  const obsolete =
    (from: OptionPath, to: OptionPath) =>
    (value: Lazy): Lazy => {
      context.ev.host.message(
        "trace",
        `trace: Obsolete option \`${showOption(from)}' is used. It was renamed to \`${showOption(to)}'.`,
      );
      return value;
    };
  const same = (value: Lazy): Lazy => value;

  const merged = (from: readonly OptionPath[], to: OptionPath, merge: Lazy): PrimOp =>
    moduleOf(({ config, options }) => {
      const marker = "_mkMergedOptionModule";
      const isSet = (path: OptionPath): boolean => {
        const value = force(get(path, config));
        return value !== marker;
      };
      const declared = from.reduce(
        (tree, path) =>
          mergeTrees(
            tree,
            at(
              path,
              option([
                ["visible", false],
                ["default", marker],
              ]),
            ),
          ),
        Attrs.empty,
      );
      const warnings = lazy(() =>
        from
          .filter(isSet)
          .map(
            (path) =>
              `The option \`${showOption(path)}' defined in ${showFiles(textList((force(get(path, options)) as Attrs).get("files")!))} has been changed to \`${showOption(to)}' that has a different type. Please read \`${showOption(to)}' documentation and update your configuration accordingly.`,
          ),
      );
      const value = makeMerge(lazy(() => (from.some(isSet) ? [lazy(() => callFunction(force(merge), config))] : [])));
      return Attrs.from([
        ["options", declared],
        ["config", updateAttrs(Attrs.from([["warnings", warnings]]), at(to, value))],
      ]);
    });

  return {
    mkRemovedOptionModule: fn("mkRemovedOptionModule", 2, (lazyPath, instructions) =>
      moduleOf(({ options }) => {
        const path = textList(lazyPath);
        const found = (name: string): Lazy => (force(get(path, options)) as Attrs).get(name)!;
        const gone = fn("apply", 1, () => {
          throw new ThrownError(
            `The option \`${showOption(path)}' can no longer be used since it's been removed. ${forceText(instructions)}`,
            { code: "option-unknown" },
          );
        });
        return Attrs.from([
          [
            "options",
            at(
              path,
              option([
                ["visible", false],
                ["apply", gone],
              ]),
            ),
          ],
          [
            "config",
            Attrs.from([
              [
                "assertions",
                [
                  Attrs.from([
                    ["assertion", lazy(() => !forceBool(found("isDefined")))],
                    [
                      "message",
                      lazy(
                        () =>
                          `The option definition \`${showOption(path)}' in ${showFiles(textList(found("files")))} no longer has any effect; please remove it.\n${forceText(instructions)}\n`,
                      ),
                    ],
                  ]),
                ],
              ],
            ]),
          ],
        ]);
      }, OPTIONS_ONLY),
    ),
    mkRenamedOptionModule: fn("mkRenamedOptionModule", 2, (lazyFrom, lazyTo) => {
      const from = textList(lazyFrom);
      const to = textList(lazyTo);
      return rename({
        from,
        to,
        visible: false,
        warn: true,
        use: obsolete(from, to),
        withPriority: true,
        condition: true,
      });
    }),
    mkRenamedOptionModuleWith: fnWithFormals(
      "mkRenamedOptionModuleWith",
      { from: false, to: false, sinceRelease: false },
      (args) => {
        const from = textList(args.get("from")!);
        const to = textList(args.get("to")!);
        const warn = Number(force(args.get("sinceRelease")!)) <= OLDEST_SUPPORTED_RELEASE;
        return rename({
          from,
          to,
          visible: false,
          warn,
          use: warn ? obsolete(from, to) : same,
          withPriority: true,
          condition: true,
        });
      },
    ),
    mkAliasOptionModule: fn("mkAliasOptionModule", 2, (from, to) =>
      rename({
        from: textList(from),
        to: textList(to),
        visible: true,
        warn: false,
        use: same,
        withPriority: true,
        condition: true,
      }),
    ),
    mkAliasOptionModuleMD: fn("mkAliasOptionModuleMD", 2, (from, to) =>
      rename({
        from: textList(from),
        to: textList(to),
        visible: true,
        warn: false,
        use: same,
        withPriority: true,
        condition: true,
      }),
    ),
    mkMergedOptionModule: fn("mkMergedOptionModule", 3, (from, to, merge) =>
      merged(forceList(from).map(textList), textList(to), merge),
    ),
    mkChangedOptionModule: fn("mkChangedOptionModule", 3, (from, to, change) =>
      merged([textList(from)], textList(to), change),
    ),
    doRename: fnWithFormals(
      "doRename",
      { from: false, to: false, visible: false, warn: false, use: false, withPriority: true, condition: true },
      (args) =>
        rename({
          from: textList(args.get("from")!),
          to: textList(args.get("to")!),
          visible: args.get("visible")!,
          warn: forceBool(args.get("warn")!),
          use: (value) => callFunction(force(args.get("use")!), value),
          withPriority: forceBool(getOr(args, "withPriority", true)),
          condition: getOr(args, "condition", true),
        }),
    ),
    mkAliasDefinitions: fn("mkAliasDefinitions", 1, (found) => alias(same, found, false)),
    mkAliasAndWrapDefinitions: fn("mkAliasAndWrapDefinitions", 2, (wrap, found) =>
      alias((value) => callFunction(force(wrap), value), found, false),
    ),
    mkAliasAndWrapDefsWithPriority: fn("mkAliasAndWrapDefsWithPriority", 2, (wrap, found) =>
      alias((value) => callFunction(force(wrap), value), found, true),
    ),
  };
}

function mergeTrees(left: Attrs, right: Attrs): Attrs {
  return updateAttrs(
    left,
    Attrs.from(
      [...right.entries()].map(([name, value]) => {
        const other = left.get(name);
        const below = other === undefined ? undefined : force(other);
        const forced = force(value);
        return [
          name,
          below instanceof Attrs && forced instanceof Attrs && !below.has("_type") ? mergeTrees(below, forced) : forced,
        ];
      }),
    ),
  );
}
