// What is measured: expressions for `nix-instantiate --eval`. Those with `tree` need a nixpkgs. `goal` is the multiple of real
// Nix's time that d2n means to stay within; unless a case has one, see `goalFor`.
const big = 'let range = builtins.genList (i: i) 100000; name = i: "n${toString i}"; in ';

export const cases = [
  { name: "start", text: "1" },
  { name: "fib 25", text: "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 25" },
  { name: "fib 30", text: "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 30", goal: 1 },
  { name: "foldl' 1e6", text: "builtins.foldl' (a: b: a + b) 0 (builtins.genList (i: i) 1000000)" },
  {
    name: "map and filter 1e6",
    text: "builtins.length (builtins.filter (x: x > 500000) (map (x: x + 1) (builtins.genList (i: i) 1000000)))",
  },
  {
    name: "sort 2e5",
    text: "builtins.elemAt (builtins.sort (a: b: a < b) (builtins.genList (i: let h = i * 7919; in h - (h / 200003) * 200003) 200000)) 1000",
  },
  {
    name: "listToAttrs, mapAttrs 1e5",
    text: `${big}builtins.length (builtins.attrValues (builtins.mapAttrs (n: v: v + 1) (builtins.listToAttrs (map (i: { name = name i; value = i; }) range))))`,
  },
  {
    name: "small sets, 2e5 //",
    text: "builtins.foldl' (a: i: let s = { x = i; y = 1; } // { z = i; } // { x = 2; }; in a + s.x + s.z) 0 (builtins.genList (i: i) 100000)",
  },
  {
    name: "3000 growing //",
    text: 'builtins.length (builtins.attrNames (builtins.foldl\' (a: i: a // { ${"k${toString i}"} = i; }) { } (builtins.genList (i: i) 3000)))',
  },
  {
    name: "big // small, 2000 times",
    text: `${big}let all = builtins.listToAttrs (map (i: { name = name i; value = i; }) (builtins.genList (i: i) 20000)); in builtins.foldl' (a: i: (a // { n5 = i; n77 = i; })) all (builtins.genList (i: i) 2000) == 1`,
  },
  {
    name: "genericClosure 5e4",
    text: "builtins.length (builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: if key < 50000 then [ { key = key + 1; } { key = key + 2; } ] else [ ]; })",
  },
  {
    name: "strings",
    goal: 1,
    text: `${big}builtins.stringLength (builtins.concatStringsSep "," (map (i: builtins.replaceStrings [ "1" "2" ] [ "one" "two" ] (name i)) range))`,
  },
  {
    name: "regular expressions",
    goal: 1,
    text: `${big}builtins.length (builtins.filter (x: builtins.match "n([0-9]+)7[0-9]*" x != null) (map name range)) + builtins.length (builtins.split "[,;]" (builtins.concatStringsSep "," (map name range)))`,
  },
  {
    name: "overlays by fixpoints",
    text: 'let fix = f: let x = f x; in x; extends = f: rattrs: self: let super = rattrs self; in super // f self super; overlays = builtins.genList (i: self: super: { "p${toString i}" = i; sum = super.sum + (if i > 0 then self."p${toString (i - 1)}" else 0); }) 800; in (fix (builtins.foldl\' (a: o: extends o a) (self: { sum = 0; }) overlays)).sum',
  },
  {
    name: "JSON",
    text: `${big}builtins.stringLength (builtins.toJSON (builtins.fromJSON (builtins.toJSON (map (i: { a = i; b = name i; }) range))))`,
  },
  { name: "lib/tests/misc.nix", tree: true, text: "import TREE/lib/tests/misc.nix", strict: true },
  ...["hello", "python3", "firefox"].map((name) => ({
    name: `${name}.drvPath`,
    tree: true,
    ...(name === "firefox" ? { goal: 1.5 } : {}),
    text: `(import TREE { config = { }; overlays = [ ]; system = "x86_64-linux"; }).${name}.drvPath`,
  })),
  {
    name: "a NixOS system",
    tree: true,
    goal: 1.3,
    text: `(import TREE/nixos { system = "x86_64-linux"; configuration = { boot.loader.grub.enable = false; fileSystems."/".device = "/dev/sda1"; services.openssh.enable = true; }; }).system.drvPath`,
  },
];

/** Seconds that a case may take where real Nix takes so many: twice as long, or half a second more if that is not long. */
export function goalFor({ goal }, nix) {
  if (goal !== undefined) return goal * nix;
  return nix > 0.3 ? 2 * nix : nix + 0.5;
}

/**
 * The guide's flake, evaluated by d2n with its own lib, modules and packages. Real Nix has nothing of the kind; it evaluates
 * upstream's example with a nixpkgs of 2026 in 1.2 s where it takes 0.58 s for firefox of nixpkgs 20.09, and the goal is half.
 */
export const guide = { name: "the guide's flake", yardstick: "firefox.drvPath", factor: 1.2 / 0.58, goal: 0.5 };
