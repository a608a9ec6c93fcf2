import type { Command } from "commander";
import colors from "picocolors";
import type { ShowNode } from "../../app/evaluation/protocol.ts";
import { addFlakeCheck, addFlakeLock } from "./flake-check.ts";
import { addFlakeCopies } from "./flake-copies.ts";
import { addFlakeInit } from "./flake-init.ts";
import { addFlakeMetadata } from "./flake-metadata.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

interface ShowOptions extends RawOptions {
  readonly json?: boolean;
  readonly allSystems?: boolean;
  readonly legacy?: boolean;
}

export function addFlake(root: Command, invocation: Invocation): void {
  const flake = root.command("flake").description("Start flakes, look at flakes.");
  addUpdate(flake, invocation);
  addFlakeLock(flake, invocation);
  addFlakeMetadata(flake, invocation);
  addFlakeCheck(flake, invocation);
  addFlakeInit(flake, invocation);
  addFlakeCopies(flake, invocation);
  withCommonOptions(
    flake
      .command("show")
      .description("List what a flake provides.")
      .argument("[flake]", "the flake; `.` unless given")
      .option("--json", "print JSON")
      .option("--all-systems", "other systems than this machine's too")
      .option("--legacy", "what is in `legacyPackages`, too"),
  ).action(async (reference: string | undefined, options: ShowOptions) =>
    invocation.execute(options, async (context) => {
      const { showFlake } = await import("../../app/eval.ts");
      const { url, tree } = await showFlake(context, reference ?? ".", {
        allSystems: options.allSystems === true,
        legacy: options.legacy === true,
      });
      const { stdout } = invocation.world;
      stdout.write(
        options.json
          ? `${JSON.stringify(toJson(tree))}\n`
          : `${colors.bold(url)}\n${render(tree.children, "", "").join("\n")}\n`,
      );
    }),
  );
}

function addUpdate(flake: Command, invocation: Invocation): void {
  withCommonOptions(
    flake
      .command("update")
      .description("Lock inputs anew: those that are named, or all of them and the packages of the Debian archive.")
      .argument("[inputs...]", "paths of inputs, such as `dream2nix` or `a/b`; all unless given")
      .option("--flake <flake>", "the flake", "."),
  ).action(async (inputs: string[], options: RawOptions & { readonly flake: string }) =>
    invocation.execute(options, async (context) => {
      const { updateFlake } = await import("../../app/eval.ts");
      await updateFlake(context, options.flake, inputs);
    }),
  );
}

function render(nodes: readonly ShowNode[], indent: string, output: string): string[] {
  return nodes.flatMap((node, i) => {
    const last = i === nodes.length - 1;
    const line = `${indent}${last ? "└───" : "├───"}${colors.bold(node.name)}${describe(node, output)}`;
    return [line, ...render(node.children, `${indent}${last ? "    " : "│   "}`, output === "" ? node.name : output)];
  });
}

function describe({ kind, name, description }: ShowNode, output: string): string {
  switch (kind) {
    case "set":
      return "";
    case "derivation":
      return `: ${derivationWords(output, name)} '${description ?? ""}'`;
    case "app":
      return `: app: ${description ?? "no description"}`;
    case "overlay":
      return ": Nixpkgs overlay";
    case "module":
      return ": NixOS module";
    case "template":
      return `: template: ${description ?? ""}`;
    case "omitted":
      return colors.dim(` omitted (${description ?? ""})`);
    case "failed":
      return colors.red(` failed: ${(description ?? "").split("\n")[0]}`);
    default:
      return `: ${kind}`;
  }
}

/** What a derivation is called under an output. */
function derivationWords(output: string, name: string): string {
  if (output === "checks" || output === "hydraJobs") return "derivation";
  if (output === "devShells" || output === "devShell" || name === "devShell") return "development environment";
  return "package";
}

function toJson(node: ShowNode): unknown {
  const { kind, name, description, about = "" } = node;
  switch (kind) {
    case "set":
      return Object.fromEntries(node.children.map((child) => [child.name, toJson(child)]));
    case "derivation":
      return { description: about, name: description ?? name, type: kind };
    case "overlay":
      return { type: "nixpkgs-overlay" };
    case "module":
      return { type: "nixos-module" };
    case "omitted":
      return {};
    case "function":
      return { type: "unknown" };
    default:
      return description === undefined ? { type: kind } : { description, type: kind };
  }
}
