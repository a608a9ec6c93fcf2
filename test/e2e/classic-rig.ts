/** The launchers on a store of their own at its own name, where builders are the machine's own shell, as in Nix's tests. */
import { join } from "node:path";
import { expect } from "vitest";
import { type Outcome, Rig, type RunOptions, shown } from "./rig.ts";

export interface ClassicRunOptions extends RunOptions {
  /** The working folder; the rig's unless given. */
  readonly in?: string;
}

export class ClassicRig {
  readonly rig = new Rig();
  readonly folder = this.rig.folder;
  /** Where the launchers are. */
  readonly shims = join(this.rig.folder, "shims");
  /** Where store, state and logs are. */
  readonly root = join(this.rig.folder, "nix");

  async start(): Promise<void> {
    const outcome = await this.rig.d2n(this.folder, ["shims", this.shims]);
    expect(outcome.status, shown(outcome)).toBe(0);
  }

  call(program: string, args: readonly string[], options: ClassicRunOptions = {}): Promise<Outcome> {
    return this.#run([join(this.shims, program), ...args], options);
  }

  /** Runs shell code with the launchers on the PATH. */
  script(code: string, options: ClassicRunOptions = {}): Promise<Outcome> {
    return this.#run(["sh", "-c", `PATH=${this.shims}:$PATH; ${code}`], options);
  }

  #run(words: readonly string[], options: ClassicRunOptions): Promise<Outcome> {
    const { D2N_STORE: _, ...own } = this.rig.environment;
    const env = {
      ...own,
      NIX_STORE_DIR: join(this.root, "store"),
      NIX_STATE_DIR: join(this.root, "var/nix"),
      NIX_LOG_DIR: join(this.root, "var/log"),
      NIX_CONFIG: "sandbox = false\nexperimental-features = nix-command flakes",
      NIX_BUILD_SHELL: "bash",
      ...options.env,
    };
    return this.rig.run(options.in ?? this.folder, "env", ["-u", "D2N_STORE", ...words], { ...options, env });
  }

  /** What `nix` says on standard output. */
  readonly said = async (...args: readonly string[]): Promise<string> => {
    const outcome = await this.call("nix", args);
    expect(outcome.status, shown(outcome)).toBe(0);
    return outcome.stdout;
  };

  /** What `nix` says on standard error when it fails. */
  readonly refused = async (...args: readonly string[]): Promise<string> => {
    const outcome = await this.call("nix", args);
    expect(outcome.status, shown(outcome)).toBe(1);
    return outcome.stderr;
  };
}
