/** The shells of `nix-shell`: bash with a derivation's variables and the setup of its stdenv (nix-build.cc). */
import { mkdtempSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Wanted } from "../../build/index.ts";
import { builderFiles } from "../../build/index.ts";
import type { Derivation } from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { realise } from "../realise.ts";
import { runProgram } from "../run-program.ts";
import { type Missing, missingDerivations } from "./build.ts";
import { quoteAlways } from "./shebang.ts";

/** What `--pure` leaves of the user's environment. */
const KEPT = `HOME XDG_RUNTIME_DIR USER LOGNAME DISPLAY WAYLAND_DISPLAY WAYLAND_SOCKET PATH TERM IN_NIX_SHELL
  NIX_SHELL_PRESERVE_PROMPT TZ PAGER NIX_BUILD_SHELL SHLVL http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY
  FTP_PROXY ALL_PROXY NO_PROXY`.split(/\s+/);

export interface ClassicShell {
  readonly drvPath: string;
  /** The program to run: that of the environment if there is none. */
  readonly bash: { readonly drvPath: string } | { readonly program: string };
  readonly pure: boolean;
  /** Variables that `pure` leaves besides. */
  readonly keep: readonly string[];
  /** Inputs whose .drv path fits one of these are not built. */
  readonly exclude: readonly string[];
  /** Shell code that is run, and ends the shell. */
  readonly command: string | undefined;
  readonly interactive: boolean;
  readonly cores: number | undefined;
}

/** What has to be valid before the shell can start. */
async function shellInputs(
  context: Context,
  { drvPath, bash, exclude }: Pick<ClassicShell, "drvPath" | "bash" | "exclude">,
): Promise<Wanted[]> {
  const { inputDrvs, inputSrcs } = await (await context.store()).readDerivation(drvPath);
  const patterns = exclude.map((text) => new RegExp(text));
  return [
    ...("drvPath" in bash ? [{ drvPath: bash.drvPath, outputs: ["out"] }] : []),
    ...[...inputDrvs]
      .filter(([path]) => !patterns.some((pattern) => pattern.test(path)))
      .map(([path, outputs]): Wanted => ({ drvPath: path, outputs: [...outputs] })),
    ...inputSrcs.map((path): Wanted => ({ path })),
  ];
}

/** What would have to be built. */
export async function shellMissing(context: Context, shell: ClassicShell): Promise<Missing> {
  const wanted = await shellInputs(context, shell);
  return missingDerivations(
    context,
    wanted.map((one) =>
      "path" in one ? one.path : `${one.drvPath}!${one.outputs === "all" ? "*" : one.outputs.join(",")}`,
    ),
  );
}

/** Builds what the shell needs, and runs it. @returns its exit status */
export async function runShell(context: Context, shell: ClassicShell): Promise<number> {
  const store = await context.store();
  const derivation = await store.readDerivation(shell.drvPath);
  await realise(context, await shellInputs(context, shell));
  const program =
    "program" in shell.bash
      ? shell.bash.program
      : `${(await store.readDerivation(shell.bash.drvPath)).outputs.get("out")!.path}/bin/bash`;
  const folder = mkdtempSync(join(tmpdir(), "nix-shell-"));
  const { variables, structured } = await derivationVariables(context, shell, derivation, folder);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.environment))
    if (value !== undefined && (!shell.pure || KEPT.includes(name) || shell.keep.includes(name)))
      environment[name] = value;
  environment["IN_NIX_SHELL"] = shell.pure ? "pure" : "impure";
  // Else a NixOS /etc/bashrc reads /etc/profile.
  if (shell.pure) environment["__ETC_PROFILE_SOURCED"] = "1";
  Object.assign(environment, variables);
  const rc = join(folder, "rc");
  writeFileSync(
    rc,
    startUp({ shell, folder, program, structured, timeZone: context.environment["TZ"], root: isRoot() }),
  );
  return runProgram(context, [program, ...(shell.interactive ? ["--rcfile"] : []), rc], {}, environment);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The variables of the derivation as text, and shell code of structured attributes. */
async function derivationVariables(
  context: Context,
  { drvPath, cores }: ClassicShell,
  derivation: Derivation,
  folder: string,
): Promise<{ variables: Record<string, string>; structured: string }> {
  const variables: Record<string, string> = {};
  for (const name of ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP"]) variables[name] = folder;
  variables["NIX_STORE"] = context.storeDir;
  variables["NIX_BUILD_CORES"] = String(cores ?? availableParallelism());
  const { files, passedAsFile } = await builderFiles({ store: await context.store(), drvPath, derivation });
  let number = 0;
  for (const [name, value] of [...derivation.env].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (name === "__json") continue;
    if (passedAsFile.has(name)) {
      const file = join(folder, `.attr-${number++}`);
      writeFileSync(file, value, "latin1");
      variables[`${name}Path`] = file;
    } else variables[name] = Buffer.from(value, "latin1").toString("utf8");
  }
  if (files === undefined) return { variables, structured: "" };
  for (const [name, variable, content] of [
    [".attrs.json", "NIX_ATTRS_JSON_FILE", files.json],
    [".attrs.sh", "NIX_ATTRS_SH_FILE", files.shell],
  ] as const) {
    variables[variable] = join(folder, name);
    writeFileSync(join(folder, name), content, "latin1");
  }
  return { variables, structured: Buffer.from(files.shell, "latin1").toString("utf8") };
}

interface StartUp {
  readonly shell: ClassicShell;
  readonly folder: string;
  readonly program: string;
  readonly structured: string;
  readonly timeZone: string | undefined;
  readonly root: boolean;
}

/** What bash reads first. It removes the temporary folder when it ends, and keeps the user's PATH behind the shell's. */
function startUp({ shell, folder, program, structured, timeZone, root }: StartUp): string {
  const { pure, command } = shell;
  const bin = program.includes("/") ? program.slice(0, program.lastIndexOf("/")) : "";
  const lines = [
    `_nix_shell_clean_tmpdir() { command rm -rf ${quoteAlways(folder)}; }; trap _nix_shell_clean_tmpdir EXIT; exitHooks+=(_nix_shell_clean_tmpdir); failureHooks+=(_nix_shell_clean_tmpdir)`,
    ...(pure ? [] : ['[ -n "$PS1" ] && [ -e ~/.bashrc ] && source ~/.bashrc', "p=$PATH"]),
    "unset PATH",
    "dontAddDisableDepTrack=1",
    structured,
    "[ -e $stdenv/setup ] && source $stdenv/setup",
    ...(pure ? [] : ["PATH=$PATH:$p; unset p"]),
    `PATH=${quoteAlways(bin)}:"$PATH"`,
    `SHELL=${quoteAlways(program)}`,
    `BASH=${quoteAlways(program)}`,
    "set +e",
    `[ -n "$PS1" -a -z "$NIX_SHELL_PRESERVE_PROMPT" ] && PS1='\\n\\[\\033[1;${root ? 31 : 32}m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '`,
    'if [ "$(type -t runHook)" = function ]; then runHook shellHook; fi',
    "unset NIX_ENFORCE_PURITY",
    "shopt -u nullglob",
    `unset TZ${timeZone === undefined ? "" : `; export TZ=${quoteAlways(timeZone)}`}`,
    "shopt -s execfail",
    ...(command === undefined ? [] : [command]),
  ];
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}
