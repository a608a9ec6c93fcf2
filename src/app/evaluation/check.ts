/** `d2n flake check`: whether the outputs of a flake are what their names say (Nix manual, "nix3-flake-check"). */
import {
  addTrace,
  EvalError,
  type Evaluator,
  force,
  forceAttrs,
  fromUtf8,
  isCallable,
  isDerivation,
  isString,
  Lambda,
  type Lazy,
  showType,
  textOf,
} from "../../lang/index.ts";
import type { FlakeCheck } from "./protocol.ts";

/** Outputs of other tools that Nix does not look into. */
const UNCHECKED = new Set([
  "lib",
  "darwinConfigurations",
  "darwinModules",
  "flakeModule",
  "flakeModules",
  "herculesCI",
  "homeConfigurations",
  "homeModule",
  "homeModules",
  "nixopsConfigurations",
  "hydraJobs",
  "nixosConfigurations",
]);

/** Old names and what they are called now. */
const RENAMED: Readonly<Record<string, string>> = {
  defaultPackage: "packages.<system>.default",
  defaultApp: "apps.<system>.default",
  devShell: "devShells.<system>.default",
  overlay: "overlays.default",
  nixosModule: "nixosModules.default",
  defaultTemplate: "templates.default",
  defaultBundler: "bundlers.<system>.default",
};

export function checkFlake(ev: Evaluator, outputs: Lazy, system: string, allSystems: boolean): FlakeCheck {
  const checker = new Checker(ev, system, allSystems);
  for (const [name, output] of forceAttrs(outputs).entries()) checker.output(fromUtf8(name), output);
  return { warnings: checker.warnings, builds: checker.builds, omitted: [...checker.omitted].sort() };
}

class Checker {
  readonly warnings: string[] = [];
  readonly builds: { attributePath: string; drvPath: string }[] = [];
  readonly omitted = new Set<string>();
  readonly #ev: Evaluator;
  readonly #system: string;
  readonly #allSystems: boolean;

  constructor(ev: Evaluator, system: string, allSystems: boolean) {
    this.#ev = ev;
    this.#system = system;
    this.#allSystems = allSystems;
  }

  output(name: string, output: Lazy): void {
    try {
      const replacement = RENAMED[name];
      if (replacement !== undefined)
        this.warnings.push(`flake output attribute '${name}' is deprecated; use '${replacement}' instead`);
      this.#output(name, output);
    } catch (error) {
      throw addTrace(error, `while checking flake output '${name}'`);
    }
  }

  #output(name: string, output: Lazy): void {
    switch (name) {
      case "packages":
      case "devShells":
        return this.#bySystem(name, output, (path, value) =>
          this.#each(path, value, (at, one) => void this.#derivation(at, one)),
        );
      case "checks":
        return this.#bySystem(name, output, (path, value) =>
          this.#each(path, value, (attributePath, one) => {
            this.builds.push({ attributePath, drvPath: this.#derivation(attributePath, one) });
          }),
        );
      case "formatter":
      case "defaultPackage":
      case "devShell":
        return this.#bySystem(name, output, (path, value) => void this.#derivation(path, value));
      case "apps":
        return this.#bySystem(name, output, (path, value) => this.#each(path, value, (at, one) => this.#app(at, one)));
      case "defaultApp":
        return this.#bySystem(name, output, (path, value) => this.#app(path, value));
      case "legacyPackages":
        // Too big to be looked through.
        return this.#bySystem(name, output, (_path, value) => void forceAttrs(value));
      case "bundlers":
        return this.#bySystem(name, output, (path, value) =>
          this.#each(path, value, (at, one) => this.#function(at, one)),
        );
      case "overlay":
        return this.#overlay(name, output);
      case "overlays":
        return this.#each(name, output, (at, one) => this.#overlay(at, one));
      case "nixosModule":
        return void force(output);
      case "nixosModules":
        return this.#each(name, output, (_at, one) => void force(one));
      case "templates":
        return this.#each(name, output, (at, one) => this.#template(at, one));
      case "defaultTemplate":
        return this.#template(name, output);
      default:
        if (!UNCHECKED.has(name)) this.warnings.push(`unknown flake output '${name}'`);
        else force(output);
    }
  }

  /** Runs a check for each system's part of an output, or notes that it doesn't. */
  #bySystem(name: string, output: Lazy, check: (path: string, value: Lazy) => void): void {
    this.#each(name, output, (path, value, system) => {
      if (!/^[\w-]+-[\w-]+$/.test(system)) throw new EvalError(`'${system}' is not a valid system type, at '${path}'`);
      if (this.#allSystems || system === this.#system) check(path, value);
      else this.omitted.add(system);
    });
  }

  #each(path: string, value: Lazy, check: (path: string, value: Lazy, name: string) => void): void {
    for (const [bytes, one] of forceAttrs(value).entries()) {
      const name = fromUtf8(bytes);
      check(`${path}.${name}`, one, name);
    }
  }

  #derivation(path: string, value: Lazy): string {
    try {
      const derivation = force(value);
      if (!isDerivation(derivation)) throw new EvalError(`flake attribute '${path}' is not a derivation`);
      const drvPath = derivation.get("drvPath");
      if (drvPath === undefined) throw new EvalError(`flake attribute '${path}' is not a derivation`);
      return textOf(this.#ev.coerceToString(drvPath, { copyToStore: false }));
    } catch (error) {
      throw addTrace(error, `while checking the derivation '${path}'`);
    }
  }

  #app(path: string, value: Lazy): void {
    try {
      const app = forceAttrs(value);
      const type = app.get("type");
      if (type === undefined || !isString(force(type)) || textOf(this.#ev.coerceToString(type)) !== "app")
        throw new EvalError(`'${path}' is not an app: it has no \`type = "app"\``);
      const program = app.get("program");
      if (program === undefined) throw new EvalError(`app '${path}' lacks attribute 'program'`);
      this.#ev.coerceToString(program);
      for (const [name] of app.entries())
        if (!["type", "program", "meta"].includes(name))
          throw new EvalError(`app '${path}' has unsupported attribute '${name}'`);
      if (!app.has("meta")) this.warnings.push(`app '${path}' lacks attribute 'meta'`);
    } catch (error) {
      throw addTrace(error, `while checking the app definition '${path}'`);
    }
  }

  #function(path: string, value: Lazy): void {
    const fn = force(value);
    if (!isCallable(fn)) throw new EvalError(`'${path}' must be a function, not ${showType(fn)}`);
  }

  #overlay(path: string, value: Lazy): void {
    try {
      const overlay = force(value);
      if (!isCallable(overlay)) throw new EvalError(`overlay is not a function, but ${showType(overlay)} instead`);
      if (overlay instanceof Lambda && overlay.info.formals !== undefined)
        throw new EvalError("overlay does not take an argument named 'final'");
    } catch (error) {
      throw addTrace(error, `while checking the overlay '${path}'`);
    }
  }

  #template(path: string, value: Lazy): void {
    try {
      const template = forceAttrs(value);
      for (const name of ["path", "description"])
        if (!template.has(name)) throw new EvalError(`template '${path}' lacks attribute '${name}'`);
      const from = textOf(this.#ev.coerceToString(template.get("path")!, { copyToStore: false }));
      if (this.#ev.host.status(from) === undefined)
        throw new EvalError(`template '${path}' refers to a non-existent path '${from}'`);
      this.#ev.coerceToString(template.get("description")!);
      for (const [name] of template.entries())
        if (!["path", "description", "welcomeText"].includes(name))
          throw new EvalError(`template '${path}' has unsupported attribute '${name}'`);
    } catch (error) {
      throw addTrace(error, `while checking the template '${path}'`);
    }
  }
}
