import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realise } from "../../src/build/index.ts";
import { LocalStore } from "../../src/store/index.ts";

const oracle = process.env["NIX_ORACLE"];
const bubblewrap = process.env["D2N_TEST_BWRAP"];
const shell = process.env["D2N_TEST_BUSYBOX"];

/** Builds that write down what they see. */
const expression = (box: string) => `
let
  box = builtins.path { path = ${box}; name = "box"; };
  run = attrs: script: derivation ({
    system = "x86_64-linux";
    builder = "\${box}/busybox";
    args = [ "sh" "-c" "for a in ls cat id env hostname ip sed sort uname find grep touch chmod mkdir; do eval \\"$a() { \${box}/busybox $a \\\\\\"\\\\$@\\\\\\"; }\\"; done; \${script}" "first argument" "second 'argument'" ];
  } // attrs);
  lib = run { name = "lib"; outputs = [ "out" "dev" ]; } "echo \${box} > $out; echo $out > $dev";
  view = ''
    (
      echo "== environment"; env | sort
      echo "== arguments"; printf '%s;' "$0" "$@"
      echo "== who and where"; id; hostname; uname -n; pwd; echo $$; umask; cat /proc/sys/kernel/domainname
      echo "== files"; ls /; ls /nix/store /build /tmp /bin
      for f in /etc/*; do echo "-- $f"; cat $f; done
      find /build -type f | sort | while read f; do echo "-- $f"; cat "$f"; done
      echo "== network"; ip -o link; ip -o addr | sed 's/ *valid.*//'
      echo "== open files"; ls /proc/self/fd
      echo "== rights"; grep -E 'CapEff|CapPrm|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
      touch /build/y; chmod 4755 /build/y; touch \${box}/x /etc/x || true
    ) > $out 2>&1
  '';
in {
  plain = run { name = "plain"; inherit lib; inherit (lib) dev; passAsFile = [ "big" ]; big = "content"; exportReferencesGraph = [ "graph" lib ]; list = [ "a" "b" ]; yes = true; no = false; nothing = null; special = "a'b\\"c\\nd"; } view;
  structured = run { name = "structured"; __structuredAttrs = true; inherit lib; nested.a = [ 1 2.5 { c = "x"; } ]; flags = [ true false ]; number = 5; float = 2.0; text = "it's \\n x"; exportReferencesGraph.graph = [ lib lib.dev ]; umlaut = "gr\u00fc\u00df"; set = { x = 1; y = "z"; }; }
    "out=$(sed -n \\"s/^declare -A outputs=(.'out'.='//p\\" $NIX_ATTRS_SH_FILE); out=\\\${out%???}; \${view}";
  fixed = run { name = "fixed"; outputHash = "sha256-mSqTRVxx/t02rJu8Q5lSwEHPYURZWEcq9Hkmm42HNRM="; outputHashMode = "flat"; impureEnvVars = [ "D2N_TEST_VARIABLE" ]; }
    "(env | sort | grep -v NIX_BUILD_CORES; ls /etc | grep -v -e ssl -e services; cat /etc/nsswitch.conf) >&2; echo -n fixed > $out";
}`;

describe.skipIf(!oracle || !bubblewrap || !shell)("builds against real Nix", () => {
  let root: string;
  const nix = (tool: string, ...args: string[]) =>
    execFileSync(oracle!, [tool, "--store", join(root, "theirs"), ...args], {
      encoding: "latin1",
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, D2N_TEST_VARIABLE: "impure" },
    }).trim();
  const paths = new Map<string, string>();

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "d2n-builds-"));
    mkdirSync(join(root, "box"));
    copyFileSync(shell!, join(root, "box/busybox"));
    chmodSync(join(root, "box/busybox"), 0o755);
    const file = join(root, "x.nix");
    writeFileSync(file, expression(join(root, "box")));
    const names = ["plain", "structured", "fixed"];
    for (const name of names) paths.set(name, nix("nix-instantiate", file, "-A", name));
    cpSync(join(root, "theirs"), join(root, "ours"), { recursive: true, verbatimSymlinks: true });
    const store = await LocalStore.open({ rootDir: join(root, "ours") });
    try {
      await realise({
        store,
        wanted: [...paths.values()].map((drvPath) => ({ drvPath, outputs: "all" as const })),
        system: "x86_64-linux",
        sandbox: async () => ({ bubblewrap: bubblewrap!.split(" "), shell: shell! }),
        environment: { ...process.env, D2N_TEST_VARIABLE: "impure" },
        cores: 2,
        sink: () => {},
      });
    } finally {
      await store.close();
    }
  });
  afterAll(() => {
    if (root === undefined) return;
    execFileSync("chmod", ["-R", "u+w", root]);
    rmSync(root, { recursive: true, force: true });
  });

  it.each(["plain", "structured"])("%s: the builder sees the same", (name) => {
    const path = nix("nix-store", "--realise", "--cores", "2", paths.get(name)!);
    const read = (side: string) => readFileSync(join(root, side, path), "latin1");
    // Nix refuses by permission what is mounted read-only here.
    const same = (text: string) => text.replaceAll("Permission denied", "Read-only file system");
    expect(same(read("ours"))).toBe(same(read("theirs")));
  });

  it("a fixed output's builder sees the same", () => {
    const drvPath = paths.get("fixed")!;
    nix("nix-store", "--realise", drvPath);
    const place = (side: string) => join(root, side, "nix/var/log/nix/drvs", drvPath.slice(11, 13), drvPath.slice(13));
    const theirs = existsSync(place("theirs"))
      ? readFileSync(place("theirs"), "latin1")
      : execFileSync("bzcat", [`${place("theirs")}.bz2`]).toString("latin1");
    expect(readFileSync(place("ours"), "latin1")).toBe(theirs);
  });

  it("Nix accepts the store that was built into, and builds the same again", () => {
    const side = ["--store", join(root, "ours")];
    execFileSync(oracle!, ["nix-store", ...side, "--verify", "--check-contents"], { stdio: "ignore" });
    execFileSync(oracle!, ["nix-store", ...side, "--realise", "--check", "--cores", "2", paths.get("fixed")!], {
      stdio: "ignore",
    });
  });
});
