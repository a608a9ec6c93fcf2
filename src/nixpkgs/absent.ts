/** What is said where somebody asks for what is in nixpkgs and not in this package set. */

/** Patterns of names with the reason and the way around. The first that fits counts. */
const reasons: readonly (readonly [names: RegExp, why: string])[] = [
  [
    /^(cuda|rocm|cudnn|nvidia|linuxPackages|amdgpu)/,
    "Libraries for graphics processors are not in Debian's archive. Wheels bring their own (`nvidia-…-cu12`); the driver is the machine's: leave this out.",
  ],
  [
    /^(darwin|apple-sdk|xcode|libiconvReal$)/,
    "It is for macOS, and d2n builds for Linux: guard it with `lib.optionals stdenv.isDarwin`.",
  ],
  [
    /^build(Go|Npm|Rust|Dotnet|Dart|Gradle|Maven|Pnpm|Yarn|Bazel)|^(rustPlatform|crane|buildRustCrate|haskellPackages|ocamlPackages|perlPackages|beamPackages|rPackages|php\d*Packages|nodePackages(_latest)?|node2nix|mkYarnPackage|fetchNpmDeps|fetchYarnDeps|texlive.*|maven|gradle)$/,
    "d2n builds Python packages, and what mkDerivation can build without network; how other languages fetch theirs it does not know.",
  ],
  [
    /^buildFHS(User)?Env/,
    "It is for programs that look for their libraries in /usr/lib. Build such a program with `autoPatchelfHook`, or set LD_LIBRARY_PATH in a `mkShell`.",
  ],
  [
    /^(nixos|nixosTests?|testers|vmTools|make-disk-image|runInLinuxVM|nixosOptionsDoc)$/,
    "There is no NixOS and no virtual machine in d2n.",
  ],
  [
    /^(pkgsCross|pkgsStatic|pkgsMusl|pkgsi686Linux|crossSystem)$/,
    "d2n builds for the machine that it is on, with glibc.",
  ],
];

/** The hint for a name that the package set lacks. */
export function absentPackage(name: string): string {
  const why =
    reasons.find(([names]) => names.test(name))?.[1] ??
    "It holds what Python projects ask for, made of Debian's packages.";
  return `d2n's package set has no \`${name}\`. ${why}
Do without it where it is not essential (\`pkgs.${name} or null\`), or take it from a nixpkgs of your own as one more input, which builds it from source.`;
}

/** The hint for a name that an interpreter's packages lack. */
export function absentPythonPackage(name: string): string {
  return `Debian has no such package for this interpreter. Add \`${name}\` to \`pip.requirementsList\`, and use \`config.pip.drvs.${name}.public\`.`;
}

/** The hint for a function of `dockerTools` that is not there. */
export function absentImageTool(name: string): string {
  return /^(pullImage|exportImage|mergeImages|buildImageWithNixDb|buildLayeredImageWithNixDb)$/.test(name)
    ? `d2n has no \`dockerTools.${name}\`: it neither talks to registries nor puts Nix's database into images. \`fromImage\` takes any archive of \`docker save\` that is among the sources.`
    : "`dockerTools` has buildImage, buildLayeredImage, streamLayeredImage, binSh, usrBinEnv, caCertificates and fakeNss.";
}
