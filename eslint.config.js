import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "coverage/", "**/*.mjs", "**/*.cjs", "*.config.*"] },
  {
    files: ["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.lint.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // Nix strings are latin-1 JavaScript strings: control characters in patterns are data here.
      "no-control-regex": "off",
      "no-console": "error",
      // Values that are thrown on are the errors that were caught.
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true, allowThrowingAny: false }],
      // Async functions that fulfil an asynchronous interface need not wait for anything themselves.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // Tests look into values that nobody has typed, and show what they got.
    files: ["**/*.test.ts", "test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
    },
  },
  {
    // The world is injected: only the command line's entry knows the process.
    files: ["src/**/*.ts"],
    ignores: [
      "src/cli/main.ts",
      "src/cli/classic/main.ts",
      "src/cli/process-world.ts",
      "src/**/*.test.ts",
      "src/**/testing.ts",
    ],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "The environment is passed in." },
        { object: "process", property: "argv", message: "Arguments are passed in." },
        { object: "process", property: "exit", message: "Only the entry of the command line ends the process." },
        { object: "process", property: "stdout", message: "Nothing but reporters prints." },
        { object: "process", property: "stderr", message: "Nothing but reporters prints." },
      ],
    },
  },
);
