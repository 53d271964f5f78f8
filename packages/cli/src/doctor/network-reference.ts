import {
  estimateNoiseKernel,
  mlp,
  objective,
  openEvaluator,
  openHessian,
  openNtk,
  sharpness,
  type Activation,
  type Loss,
  type Model,
  type Params,
  type Split,
} from "@sedge/lab";
import { compile, vjp } from "@sedge/autodiff";
import { createRandom } from "@sedge/linalg";
import { linearSystem } from "@sedge/theory";
import { BadInput, describeIssues } from "@sedge/lab";
import { z } from "zod";
import { ErrorLedger, type ReferenceError } from "./error-ledger.js";

const numbers = z.array(z.number());

/** What is read of a case of networks.json. Other quantities may stand beside. */
const networkSchema = z.object({
  name: z.string(),
  activation: z.string(),
  loss: z.enum(["mse", "cross-entropy"]),
  examples: z.int().positive(),
  outputs: z.int().positive(),
  shapes: z.array(numbers),
  params: z.array(numbers),
  inputs: numbers,
  targets: numbers,
  lossValue: z.number(),
  gradient: numbers,
  hessianTop: numbers.min(1),
  ntkTop: numbers.min(1),
  ntkTrace: z.number(),
  noiseKernel: z.object({
    batchSize: z.int().positive(),
    learningRate: z.number().positive(),
    kExact: z.number(),
    kDiagonal: z.number(),
    kHighDim: z.number(),
    kTrace: z.number(),
  }),
});
const fileSchema = z.object({ cases: z.array(networkSchema.or(z.object({ name: z.string() }))) });
type NetworkCase = z.output<typeof networkSchema>;

/**
 * Networks run in float32, with parameters and inputs rounded to it: some 1e-6 is what rounding leaves after a few
 * layers. More than this is a wrong term.
 */
const single = 1e-5;

/** Every fully connected network of the file, through graph, derivatives, Lanczos, NTK and noise kernel. */
export async function networkErrors(
  content: unknown,
  path: string,
): Promise<{ errors: ReferenceError[]; skipped: string[] }> {
  const parsed = fileSchema.safeParse(content, { reportInput: true });
  if (!parsed.success) throw new BadInput(`${path}: ${describeIssues(parsed.error)[0]}.`);
  const ledger = new ErrorLedger();
  const skipped: string[] = [];
  for (const [i, stored] of parsed.data.cases.entries()) {
    if (stored.name !== "mlp") {
      skipped.push(`case ${i} (${stored.name}: only fully connected networks are rebuilt from such a file)`);
      continue;
    }
    const checked = networkSchema.safeParse(stored, { reportInput: true });
    if (!checked.success) throw new BadInput(`${path}: cases.${i}: ${describeIssues(checked.error)[0]}.`);
    await compareCase(checked.data, ledger);
  }
  return { errors: ledger.errors(), skipped };
}

async function compareCase(reference: NetworkCase, ledger: ErrorLedger): Promise<void> {
  const { model, loss, params, split } = buildCase(reference);
  const graph = objective(model, loss);
  const release: (() => Promise<void>)[] = [];
  const open = async <T extends { dispose(): Promise<void> }>(session: Promise<T>): Promise<T> => {
    const opened = await session;
    release.push(() => opened.dispose());
    return opened;
  };
  try {
    const evaluator = await open(openEvaluator(graph));
    ledger.note("loss", (await evaluator.evaluate(params, split)).loss, reference.lossValue, single);

    const names = model.params.map(({ name }) => name);
    const gradient = await open(compile(vjp(graph, { of: "loss", wrt: names }), { threads: 1 }));
    const outputs = await gradient.run({ ...params, x: split.inputs, y: split.targets });
    const flat = names.flatMap((name) => Array.from(outputs[`gradient/${name}`]!.data as Float32Array));
    ledger.noteAll("gradient", flat, reference.gradient, single, "largest");

    const hessian = await open(openHessian(graph, model.params));
    const top = await sharpness(hessian, params, split, { random: createRandom(1), tolerance: 1e-6 });
    ledger.note("hessian λ_max", top.value, reference.hessianTop[0]!, single);

    const estimator = await open(openNtk(model));
    const ntk = await estimator.measure(params, split.inputs);
    const system = linearSystem({ ntk: ntk.matrix, examples: ntk.examples, outputs: ntk.outputs });
    const ntkTop = reference.ntkTop.map((_, k) => system.spectrum.at(-1 - k) ?? 0);
    ledger.noteAll("ntk, top eigenvalues", ntkTop, reference.ntkTop, single);
    ledger.note("ntk trace", system.trace, reference.ntkTrace, single);

    const { batchSize, learningRate, kExact, kDiagonal, kHighDim, kTrace } = reference.noiseKernel;
    const sgd = { examples: split.examples, batchSize };
    const settings = { learningRate, tolerance: 1e-8 };
    const distinct = estimateNoiseKernel(ntk, loss, { ...sgd, sampling: "without-replacement" }, settings);
    ledger.note("network K exact", distinct.exact.value, kExact, single);
    ledger.note("network K trace", distinct.trace.value, kTrace, single);
    // The file has these two for Bernoulli sampling.
    const bernoulli = estimateNoiseKernel(ntk, loss, { ...sgd, sampling: "bernoulli" }, settings);
    ledger.note("network K diagonal", bernoulli.diagonal.value, kDiagonal, single);
    ledger.note("network K highDim", bernoulli.highDim.value, kHighDim, single);
  } finally {
    for (const dispose of release) await dispose();
  }
}

function buildCase(stored: NetworkCase): { model: Model; loss: Loss; params: Params; split: Split } {
  const sizes = stored.shapes.filter((shape) => shape.length === 2).map((shape) => shape[0]!);
  const model = mlp({
    inputs: sizes[0]!,
    widths: sizes.slice(1),
    outputs: stored.outputs,
    activation: stored.activation as Activation,
  });
  return {
    model,
    loss: stored.loss === "mse" ? "squared" : "cross-entropy",
    params: Object.fromEntries(model.params.map(({ name }, i) => [name, Float32Array.from(stored.params[i]!)])),
    split: {
      examples: stored.examples,
      inputs: Float32Array.from(stored.inputs),
      targets: Float32Array.from(stored.targets),
    },
  };
}
