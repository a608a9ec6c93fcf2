/** The table of layers (ARCHITECTURE.md): what each folder under src/ may import, besides itself and `base`. */
const layers = {
  base: [],
  formats: [],
  store: ["formats"],
  sandbox: [],
  fetchers: ["formats"],
  build: ["formats", "store", "sandbox", "fetchers"],
  lang: ["formats"],
  lib: ["lang"],
  modules: ["lang", "lib"],
  python: ["formats"],
  debian: ["formats"],
  nixpkgs: ["lang", "modules", "debian"],
  dream2nix: ["lang", "modules", "python"],
  flake: ["lang", "fetchers"],
  app: ["formats", "store", "sandbox", "fetchers", "build", "lang", "lib", "modules", "python", "debian", "nixpkgs", "dream2nix", "flake"],
  cli: ["app"],
};

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([layer, allowed]) => ({
      name: `layer-${layer}`,
      comment: `src/${layer} may import ${["itself", "base", ...allowed].join(", ")}`,
      severity: "error",
      from: { path: `^src/${layer}/`, pathNot: "(\\.test|/testing)\\.ts$" },
      to: { path: "^src/", pathNot: `^src/(${[layer, "base", ...allowed].join("|")})/` },
    })),
    {
      name: "through-the-face",
      comment: "Another layer is imported through its index.ts, or syntax.ts where that is the light part of it.",
      severity: "error",
      from: { path: "^src/([^/]+)/", pathNot: "((\\.test|/testing)\\.ts$|^src/cli/)" },
      to: { path: "^src/", pathNot: ["^src/$1/", "/(index|syntax)\\.ts$"] },
    },
    { name: "no-cycles-between-layers", severity: "error", from: { path: "^src/([^/]+)/" }, to: { circular: true, via: { path: "^src/", pathNot: "^src/$1/" } } },
    {
      name: "no-unlisted-packages",
      severity: "error",
      from: { path: "^src/", pathNot: "(\\.test|/testing)\\.ts$" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "tests-are-not-imported",
      comment: "testing.ts files are for tests of their own layer and those above",
      severity: "error",
      from: { pathNot: "(\\.test|/testing)\\.ts$" },
      to: { path: "(\\.test|/testing)\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
