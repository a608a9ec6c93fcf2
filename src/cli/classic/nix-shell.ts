/** The program `nix-shell` (Nix: `nix-build.cc`). */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ExpressionSource, ShellRules } from "../../app/classic/protocol.ts";
import { interpreterCommand, readShebang, type Shebang } from "../../app/classic/shebang.ts";
import type { ClassicShell } from "../../app/classic/shell.ts";
import { D2nError, UsageError } from "../../base/index.ts";
import { bytes, takeCommon, unknownFlag, Words } from "./arguments.ts";
import { instantiate } from "./instantiate.ts";
import { type Program, shown } from "./program.ts";

interface Given {
  readonly attributePaths: string[];
  readonly operands: string[];
  readonly exclude: string[];
  readonly keep: string[];
  expressions: boolean;
  packages: boolean;
  stdin: boolean;
  pure: boolean;
  dryRun: boolean;
  interactive: boolean;
  command: string | undefined;
}

export async function nixShell(program: Program): Promise<number> {
  const { common, world } = program;
  const shebang = readShebang(world.argv);
  const given = parse(program, new Words(shebang?.words ?? world.argv), shebang);
  if (given === undefined) return 0;
  if (given.packages && given.expressions) throw new UsageError("'-p' and '-E' are mutually exclusive");
  const environment = { ...world.environment, IN_NIX_SHELL: given.pure ? "pure" : "impure" };
  const store = (await import("../../app/classic/store-arguments.ts")).storeDerivationOf;
  const direct = given.operands.map((text) =>
    given.expressions || given.packages ? undefined : store(world.cwd, text.replace(/!.*$/s, "")),
  );
  const scriptFolder = shebang === undefined ? world.cwd : dirname(resolve(world.cwd, shebang.script));
  const relative = common.settings.flag("nix-shell-shebang-arguments-relative-to-script", true);
  const rules: ShellRules = {
    folder: relative ? scriptFolder : world.cwd,
    looksForShellNix: common.settings.flag("nix-shell-always-looks-for-shell-nix", true),
  };
  const settings = { ...(await program.evaluationSettings({ writes: true })), environment: asBytes(environment) };
  const evaluate = async (
    sources: readonly ExpressionSource[],
    attributePaths: readonly string[],
  ): Promise<string[]> => {
    const found = await instantiate(program, { settings, sources, attributePaths, shell: rules });
    return found.map(({ drvPath }) => drvPath);
  };
  const drvPaths = direct.filter((path) => path !== undefined);
  drvPaths.push(...(await evaluate(sources(program, given, scriptFolder, direct), given.attributePaths)));
  const [drvPath] = drvPaths;
  if (drvPath === undefined || drvPaths.length !== 1) throw new UsageError("nix-shell requires a single derivation");
  const context = await program.context();
  const shell: ClassicShell = {
    drvPath,
    bash: await bash(program, (expression) => evaluate([expression], [])),
    pure: given.pure,
    keep: given.keep,
    exclude: given.exclude,
    command: given.command,
    interactive: given.interactive,
    cores: common.settings.number("cores", 0) || undefined,
  };
  const { runShell, shellMissing } = await import("../../app/classic/shell.ts");
  if (given.dryRun) {
    program.tellMissing(await shellMissing(context, shell));
    return 0;
  }
  return runShell(context, shell);
}

/** Undefined if the words only asked for help. */
function parse(program: Program, words: Words, shebang: Shebang | undefined): Given | undefined {
  const { stdin, stderr } = program.world;
  const given: Given = {
    attributePaths: [],
    operands: [],
    exclude: [],
    keep: [],
    expressions: false,
    packages: false,
    stdin: false,
    pure: false,
    dryRun: false,
    interactive: stdin().isTTY === true && stderr.isTTY === true,
    command: undefined,
  };
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return void help(program);
    if (word === "--version") return void program.printVersion();
    if (word === "--attr" || word === "-A") given.attributePaths.push(bytes(words.value(word)));
    else if (word === "--expr" || word === "-E") given.expressions = true;
    else if (word === "--packages" || word === "-p") given.packages = true;
    else if (word === "--command" || word === "--run") {
      if (word === "--run") given.interactive = false;
      given.command = `${words.value(word)}\nexit`;
    } else if (word === "-i" && shebang !== undefined) {
      given.interactive = false;
      given.command = interpreterCommand(words.value(word), shebang);
    } else if (word === "--pure") given.pure = true;
    else if (word === "--impure") given.pure = false;
    else if (word === "--keep") given.keep.push(words.value(word));
    else if (word === "--exclude") given.exclude.push(words.value(word));
    else if (word === "--dry-run") given.dryRun = true;
    else if (word === "-") given.stdin = true;
    else if (word === "--add-root" || word === "--out-link" || word === "-o") words.value(word);
    else if (word === "--indirect" || word === "--no-out-link" || word === "--run-env") continue;
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else given.operands.push(word);
  }
  return given;
}

/** @param folder where the files of a script lie, wherever it is started @param direct the operands that are derivations of the store already */
function sources(
  program: Program,
  given: Given,
  folder: string,
  direct: readonly (string | undefined)[],
): ExpressionSource[] {
  const text = (expression: string): ExpressionSource => ({ kind: "text", text: bytes(expression), name: "«string»" });
  if (given.stdin) return [{ kind: "text", text: program.read("-"), name: "«stdin»" }];
  if (given.packages)
    return [
      text(
        `{...}@args: with import <nixpkgs> args; (pkgs.runCommandCC or pkgs.runCommand) "shell" { buildInputs = [ ${given.operands.map((name) => `(${name}) `).join("")}]; } ""`,
      ),
    ];
  if (given.expressions) return given.operands.map(text);
  if (given.operands.length === 0) {
    if (!existsSync(resolve(folder, "shell.nix")) && !existsSync(resolve(folder, "default.nix")))
      throw new D2nError(
        "file-missing",
        "no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory",
      );
    return [{ kind: "file", file: folder }];
  }
  return given.operands.flatMap((file, i): ExpressionSource[] => {
    if (direct[i] !== undefined) return [];
    return [{ kind: "file", file: /^<.*>$/s.test(file) ? file : resolve(folder, file) }];
  });
}

/** The bash to run: what NIX_BUILD_SHELL says, else that of `<nixpkgs>`, else the user's. */
async function bash(
  program: Program,
  evaluate: (expression: ExpressionSource) => Promise<string[]>,
): Promise<ClassicShell["bash"]> {
  const { environment, stderr } = program.world;
  const given = environment["NIX_BUILD_SHELL"];
  if (given !== undefined) return { program: given };
  const text = "(import <nixpkgs> {}).bashInteractive";
  try {
    const [drvPath] = await evaluate({ kind: "text", text, name: "«string»" });
    if (drvPath !== undefined) return { drvPath };
    throw new D2nError("evaluation", "the 'bashInteractive' attribute in <nixpkgs> did not evaluate to a derivation");
  } catch (error) {
    if (program.signal.aborted) throw error;
    stderr.write(shown(error, program));
    stderr.write("uses bash from your environment\n");
    return { program: "bash" };
  }
}

function asBytes(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[bytes(name), bytes(value)] as const],
    ),
  );
}

function help(program: Program): void {
  program.print(`Usage: nix-shell [OPTION]… [FILE]
       nix-shell [OPTION]… -p PACKAGE…
       nix-shell [OPTION]… -E EXPRESSION
Starts a bash in which a derivation's dependencies are there: that of FILE, of shell.nix, or of default.nix.
  -A, --attr PATH            the attribute that is the derivation
  -p, --packages             packages of <nixpkgs>, in place of a file
  -E, --expr                 Nix expressions, in place of files
  --run COMMAND              run a command in it, and leave
  --command COMMAND          the same, interactively: \`return\` at its end stays in the shell
  --pure, --keep VARIABLE    without the rest of your environment
  --exclude REGEX            leave inputs out whose .drv path fits
  --arg NAME EXPRESSION, --argstr NAME TEXT, -I PATH, --option NAME VALUE
In scripts: \`#! /usr/bin/env nix-shell\`, then \`#! nix-shell -i INTERPRETER -p PACKAGE…\`. NIX_BUILD_SHELL names another bash.
`);
}
