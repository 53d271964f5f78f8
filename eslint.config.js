import js from "@eslint/js";
import importX from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** Each package and the packages it may import. The layout in docs/decisions/0001-layout.md, as a rule. */
const layers = {
  "packages/linalg": [],
  "packages/theory": ["linalg"],
  "packages/autodiff": [],
  "packages/lab": ["autodiff", "theory", "linalg"],
  "packages/server": ["lab", "theory", "linalg"],
  "packages/cli": ["server", "lab", "autodiff", "theory", "linalg"],
  "apps/web": ["theory", "autodiff", "linalg"],
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
  { ignores: ["**/dist/**", "**/.cache/**", "**/node_modules/**", "docs/.vitepress/**", "coverage/**"] },
  js.configs.recommended,
  { files: ["**/*.mjs", "**/*.js"], languageOptions: { globals: { process: "readonly", console: "readonly" } } },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { "import-x": importX },
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
    settings: {
      "import-x/resolver": { node: { extensions: [".ts", ".tsx", ".js"] } },
      "import-x/extensions": [".ts", ".tsx"],
    },
    rules: {
      "import-x/no-default-export": "error",
      "import-x/no-cycle": "error",
      // The loop bound proves it: `array[i]!` under noUncheckedIndexedAccess.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/require-await": "off",
    },
  },
  { files: ["**/*.config.ts"], rules: { "import-x/no-default-export": "off" } },
  ...downwardsOnly,
);
