import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Each package and the packages it may import. The layout in docs/decisions/0001-layout.md, as a rule. */
const layers = {
  "packages/linalg": [],
  "packages/theory": ["linalg"],
  "packages/autodiff": [],
  "packages/lab": ["autodiff", "theory", "linalg"],
  "packages/server": ["lab", "theory", "linalg"],
  "packages/cli": ["server", "lab", "autodiff", "theory", "linalg"],
  // Of lab, the playground takes `@sedge/lab/browser`; anything of Node would fail in the bundle.
  "apps/web": ["lab", "theory", "autodiff", "linalg"],
};
const packages = ["linalg", "theory", "autodiff", "lab", "server", "cli", "web"];

const downwardsOnly = Object.entries(layers).map(([folder, allowed]) => ({
  files: [`${folder}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            group: packages
              .filter((name) => !allowed.includes(name))
              .flatMap((name) => [`@sedge/${name}`, `@sedge/${name}/*`]),
            message: `${folder} may import only ${allowed.length ? allowed.map((name) => `@sedge/${name}`).join(", ") : "its own files"}: dependencies point down the layout.`,
          },
          { group: ["**/packages/*/src/**", "@sedge/*/src/**"], message: "Import a package by its name." },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["**/dist/**", "**/.cache/**", "**/node_modules/**", "docs/.vitepress/cache/**", "coverage/**"] },
  js.configs.recommended,
  { files: ["**/*.mjs", "**/*.js"], languageOptions: { globals: { process: "readonly", console: "readonly" } } },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: [
          "./packages/*/tsconfig.json",
          "./apps/*/tsconfig.json",
          "./bench/tsconfig.json",
          "./tsconfig.tests.json",
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      // The loop bound proves it: `array[i]!` under noUncheckedIndexedAccess.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/require-await": "off",
    },
  },
  { files: ["**/*.config.ts", "docs/**/*.ts"], rules: { "no-restricted-exports": "off" } },
  ...downwardsOnly,
);
