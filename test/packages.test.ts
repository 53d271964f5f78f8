/**
 * What a user of npm gets: each package packed as `npm publish` would, unpacked in an empty project that has nothing else
 * than what the packages declare, and used from there: by Node, by the type checker, by a bundler, by its command.
 */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folders = [
  "packages/linalg",
  "packages/theory",
  "packages/autodiff",
  "packages/lab",
  "packages/server",
  "packages/cli",
  "apps/web",
];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifests = folders.map(
  (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest,
);
const ours = new Set(manifests.map(({ name }) => name));

let project: string;
const inProject = (name: string, text: string) => {
  writeFileSync(join(project, name), text);
  return join(project, name);
};
const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "sedge-packed-"));
  const npm = (...args: string[]) =>
    execFileSync("npm", args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      shell: process.platform === "win32",
    });
  npm(
    "pack",
    "--silent",
    "--offline",
    "--pack-destination",
    project,
    ...folders.flatMap((folder) => ["--workspace", folder]),
  );
  for (const { name, version } of manifests) {
    const target = join(project, "node_modules", name);
    mkdirSync(target, { recursive: true });
    const archive = join(project, `${name.slice(1).replace("/", "-")}-${version}.tgz`);
    execFileSync("tar", ["-xzf", archive, "-C", target, "--strip-components", "1"]);
  }
  // Only what the packages declare: an import that leans on the workspace's other packages fails here. Each lies in its own
  // node_modules where the root has another version for another user.
  manifests.forEach(({ name: user, dependencies = {} }, i) => {
    for (const name of Object.keys(dependencies).filter((name) => !ours.has(name))) {
      const own = join(root, folders[i]!, "node_modules", name);
      const link = join(project, "node_modules", ...(existsSync(own) ? [user, "node_modules"] : []), name);
      if (existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(existsSync(own) ? own : join(root, "node_modules", name), link, "junction");
    }
  });
  inProject("package.json", JSON.stringify({ name: "empty-project", type: "module", private: true }));
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

describe("manifests", () => {
  test("share one version, also where one package asks for another", () => {
    expect(new Set(manifests.map(({ version }) => version)).size).toBe(1);
    for (const { dependencies = {}, version } of manifests) {
      for (const [name, wanted] of Object.entries(dependencies)) if (ours.has(name)) expect(wanted).toBe(version);
    }
  });

  test("run nothing when they are installed", () => {
    for (const { scripts = {} } of manifests) {
      expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
    }
  });
});

test.each(manifests.map(({ name }) => name))("%s carries its licence and readme, and no tests", (name) => {
  const files = readdirSync(join(project, "node_modules", name), { recursive: true, encoding: "utf8" });
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
  expect(files.filter((file) => /\.test\.|(^|\/)testing(\/|\.)|\.tsbuildinfo$/.test(file))).toEqual([]);
});

test("every entry point that a package exports exists and can be imported", () => {
  const entries = manifests
    .filter(({ name }) => name !== "@sedge/web")
    .flatMap(({ name }) => {
      const { exports } = JSON.parse(readFileSync(join(project, "node_modules", name, "package.json"), "utf8")) as {
        exports: Record<string, { types: string }>;
      };
      return Object.entries(exports).map(([path, { types }]) => {
        expect(existsSync(join(project, "node_modules", name, types))).toBe(true);
        return name + path.slice(1);
      });
    });
  const file = inProject(
    "import-all.mjs",
    `for (const name of ${JSON.stringify(entries)}) console.log(name, Object.keys(await import(name)).length > 0);`,
  );
  expect(node(file).trim().split("\n")).toEqual(entries.map((name) => `${name} true`));
});

// Two examples that share nothing: NTK diag(1, 3), B = 1 of N = 2. The second one's residual is multiplied by 1 − 6η when it
// is drawn and kept otherwise, so its square by ½(1 − 6η)² + ½ = 1 − 6η + 18η²: noise over drift is K = 3η, and λ_max = 3.
const consumer = `
import { linearSystem, noiseKernel, type NoiseKernel } from "@sedge/theory";
const system = linearSystem({ ntk: new Float64Array([1, 0, 0, 3]), examples: 2, outputs: 1 });
export const result: NoiseKernel = noiseKernel(system, { learningRate: 0.1, batchSize: 1 });
`;

test("types: a strict project compiles against the packed declarations", () => {
  inProject("consumer.ts", consumer);
  inProject(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: { strict: true, module: "nodenext", target: "es2022", types: [], lib: ["es2022", "dom"] },
      files: ["consumer.ts"],
    }),
  );
  node(join(root, "node_modules/typescript/bin/tsc"), "-p", project);
  inProject(
    "run.mjs",
    `import { result } from "./consumer.js"; console.log(JSON.stringify([result.exact, result.lambdaMax]));`,
  );
  const [exact, lambdaMax] = JSON.parse(node("run.mjs")) as [number, number];
  expect(exact).toBeCloseTo(0.3, 12);
  expect(lambdaMax).toBeCloseTo(3, 12);
});

/** The bundle of a module for the browser, as one text. */
async function bundle(name: string, text: string): Promise<string> {
  const result = await build({
    root: project,
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: false,
      lib: { entry: inProject(name, text), formats: ["es"] },
      rolldownOptions: { external: (id) => id.startsWith("onnxruntime") },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((r) => ("output" in r ? r.output : []));
  return outputs.map((output) => ("code" in output ? output.code : "")).join("\n");
}

test("the theory bundles for a browser without anything of Node, and gives the same numbers there", async () => {
  const code = await bundle("page-theory.js", consumer.replace(/, type \w+|: NoiseKernel/g, ""));
  expect(code).not.toMatch(/koffi|from ["']node:|require\(/);
  inProject("bundled.mjs", code);
  inProject("run-bundled.mjs", `import { result } from "./bundled.mjs"; console.log(result.exact);`);
  expect(Number(node("run-bundled.mjs"))).toBeCloseTo(0.3, 12);
});

test("autodiff bundles for a browser with the web runtime, not the native one", async () => {
  const code = await bundle("page-autodiff.js", `export { compile, graph, vjp } from "@sedge/autodiff";`);
  expect(code).toMatch(/onnxruntime-web/);
  expect(code).not.toMatch(/onnxruntime-node|from ["']node:/);
});

test("what is not used is left out of the bundle", async () => {
  const [whole, part] = [
    await bundle("whole.js", `export * from "@sedge/theory";`),
    await bundle("part.js", `export { samplingCoefficients } from "@sedge/theory";`),
  ];
  // One closed formula and its checks; the simulators' and eigensolvers' kernels must not come along.
  expect(part.length).toBeLessThan(whole.length / 20);
});

test("the command runs, and finds the dashboard that came with it", () => {
  const sedge = join(project, "node_modules/@sedge/cli/dist/main.js");
  expect(node(sedge, "--version").trim()).toBe(manifests[0]!.version);
  expect(node(sedge, "doctor")).toContain(join(project, "node_modules/@sedge/web/dist"));
});
