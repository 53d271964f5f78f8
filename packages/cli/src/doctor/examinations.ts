import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { compile, graph } from "@sedge/autodiff";
import { mnist } from "@sedge/lab";
import { backend, eigvalsh } from "@sedge/linalg";
import { createRunId, openStore } from "@sedge/server";
import { findBrowser } from "../find-browser.js";
import { version } from "../program.js";
import { dashboardFolder } from "../serving.js";

/** What the doctor found in one place. `missing` is allowed to be: something works without it, slower or not at all. */
export interface Finding {
  readonly name: string;
  readonly state: "works" | "missing" | "broken";
  readonly detail: string;
}

interface Examination {
  readonly name: string;
  /** Tries the thing and says what it is. Throws where it is broken. */
  readonly look: () => Promise<string | { readonly missing: string }>;
}

/** Looks at every part that depends on the machine, by using it. */
export async function examine(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, look } of examinations) {
    try {
      const found = await look();
      if (typeof found === "string") findings.push({ name, state: "works", detail: found });
      else findings.push({ name, state: "missing", detail: found.missing });
    } catch (error) {
      const detail = error instanceof Error ? error.message.split("\n")[0]! : String(error);
      findings.push({ name, state: "broken", detail });
    }
  }
  return findings;
}

const examinations: readonly Examination[] = [
  { name: "sedge", look: async () => version() },
  {
    name: "Node.js",
    look: async () => `${process.versions.node} on ${process.platform} ${process.arch}; ${processor()}`,
  },
  { name: "linear algebra", look: lookAtLinearAlgebra },
  { name: "ONNX Runtime", look: lookAtOnnxRuntime },
  { name: "run store", look: lookAtStore },
  { name: "MNIST", look: lookAtMnist },
  { name: "figures", look: lookAtFigures },
  {
    name: "dashboard",
    look: async () => dashboardFolder() ?? { missing: "not built; npm run build makes it. Everything else works" },
  },
  {
    name: "browser",
    look: async () =>
      findBrowser() ?? {
        missing:
          "no Chromium, Chrome or Edge in the usual places; only `sedge report --pdf` and the browser tests want one",
      },
  },
];

function processor(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const cores = availableParallelism();
  return `${cores} core${cores === 1 ? "" : "s"}, ${model}`;
}

async function lookAtLinearAlgebra(): Promise<string> {
  const { name, library, path, threads, core } = backend();
  // [[2, 1], [1, 2]] has the eigenvalues 1 and 3.
  const values = eigvalsh(Float64Array.of(2, 1, 1, 2), 2);
  if (Math.abs(values[0]! - 1) + Math.abs(values[1]! - 3) > 1e-12) {
    throw new Error(`${library ?? name} computes wrong eigenvalues: ${values.join(", ")} for 1, 3`);
  }
  if (name === "typescript") return "TypeScript (no LAPACK library in use; install OpenBLAS for speed)";
  const facts = [path, threads === undefined ? undefined : `${threads} thread${threads === 1 ? "" : "s"}`, core];
  return `LAPACK: ${library ?? "unnamed"} (${facts.filter((fact) => fact !== undefined).join(", ")})`;
}

async function lookAtOnnxRuntime(): Promise<string> {
  const session = await compile(
    graph((b) => ({ y: b.add(b.input("x", [2]), 1) })),
    { threads: 1 },
  );
  try {
    const { y } = await session.run({ x: Float32Array.of(1, 2) });
    const [first, second] = y!.data as Float32Array;
    if (first !== 2 || second !== 3) throw new Error(`computes wrong sums: ${first}, ${second} for 2, 3`);
  } finally {
    await session.dispose();
  }
  return `onnxruntime-node ${packageVersion("onnxruntime-node")}, CPU`;
}

async function lookAtStore(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sedge-doctor-"));
  try {
    const store = openStore(folder);
    try {
      const runId = createRunId();
      const model = { paramCount: 1, description: "none" };
      store.append({ type: "run-started", runId, time: Date.now(), name: "doctor", config: {}, steps: 1, model });
      store.append({ type: "run-finished", runId, time: Date.now(), step: 1, status: "finished" });
      if (store.run(runId).status !== "finished") throw new Error("does not give back what was written");
    } finally {
      store.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return `SQLite through @photostructure/sqlite ${packageVersion("@photostructure/sqlite")}, written and read`;
}

async function lookAtMnist(): Promise<string> {
  const { description } = await mnist({ examples: 1000, testExamples: 1000 });
  return `read ${description.replace(/^MNIST: /, "")}`;
}

async function lookAtFigures(): Promise<string> {
  const { drawSheet, lightTheme, renderPng } = await import("@sedge/lab/figures");
  const svg = drawSheet({ title: "λ", subtitle: [], panels: [], columns: 1 }, lightTheme);
  return `Observable Plot and resvg, a PNG of ${renderPng(svg).length} bytes drawn`;
}

/** The version of an installed package, from its own manifest. */
function packageVersion(name: string): string {
  // Hoisted or nested, a manifest is found upwards from the file that the package's name resolves to.
  const { resolve } = createRequire(import.meta.url);
  for (const root of resolve.paths(name) ?? []) {
    const manifest = join(root, name, "package.json");
    if (existsSync(manifest)) {
      return (createRequire(import.meta.url)(manifest) as { version: string }).version;
    }
  }
  return "of unknown version";
}
