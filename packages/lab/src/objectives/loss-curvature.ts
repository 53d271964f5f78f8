import { compile, graph, numbersOf, scalarOf, tensor, type Graph, type Tensor } from "@sedge/autodiff";
import { eigvalsh } from "@sedge/linalg";
import { BadInput } from "../errors.js";
import { sizeOf } from "../models/model.js";
import { symmetricRoot } from "./objective.js";

/** Curvature below this share of the largest is what float32 models leave of a flat direction, not concavity. */
const TOLERATED = 1e-6;

/** A mean over examples differs from the mean of single examples by rounding only: float64, some ten operations. */
const SAME_MEAN = 1e-8;

/** Examples on which it is checked that the loss is a mean over examples. */
const CHECKED = 16;

/**
 * H_i^{1/2}, the symmetric roots of ∇²_f ℓ_i, [n, C, C], of any loss that is a mean over examples, by differentiating it
 * twice in float64.
 *
 * @param loss    With inputs `output` [n, …] and `y`, and the scalar output `loss`: see `lossGraph`.
 * @param output  f, [n, …].
 * @throws BadInput if the loss is no mean over examples, or not convex in the output.
 */
export async function lossCurvatureRoots(loss: Graph, output: Tensor, targets: Tensor): Promise<Float64Array> {
  await checkMean(loss, output, targets);
  const examples = output.shape[0]!;
  const outputs = sizeOf(output.shape.slice(1));
  const hessians = await outputHessians(loss, output, targets);
  const roots = new Float64Array(examples * outputs * outputs);
  for (let i = 0; i < examples; i++) {
    const hessian = hessians.subarray(i * outputs ** 2, (i + 1) * outputs ** 2);
    const values = eigvalsh(hessian, outputs);
    const most = Math.max(Math.abs(values[0]!), Math.abs(values[outputs - 1]!));
    if (values[0]! < -TOLERATED * most) {
      throw new BadInput(
        `lossCurvature: expected a loss that is convex in the output, got a curvature of ${values[0]!.toPrecision(3)} at ` +
          `example ${i}, beside a largest of ${values[outputs - 1]!.toPrecision(3)}: its Gauss–Newton matrix has no real root.`,
      );
    }
    roots.set(most === 0 ? hessian : symmetricRoot(hessian, outputs), i * outputs ** 2);
  }
  return roots;
}

/**
 * @throws BadInput if the loss of a batch is not the mean of its examples' losses: a sum, a mean over something else, or a
 *   loss in which examples meet.
 */
export async function checkMean(loss: Graph, output: Tensor, targets: Tensor): Promise<void> {
  const session = await compile({ ...loss, outputs: { loss: loss.outputs["loss"]! } }, { precision: "float64" });
  try {
    const count = Math.min(CHECKED, output.shape[0]!);
    const lossOf = async (first: number, examples: number): Promise<number> => {
      const feeds = { output: part(output, first, examples), y: part(targets, first, examples) };
      return scalarOf((await session.run(feeds))["loss"]!);
    };
    const whole = await lossOf(0, count);
    let mean = 0;
    let size = 0;
    for (let i = 0; i < count; i++) {
      const own = await lossOf(i, 1);
      mean += own / count;
      size += Math.abs(own) / count;
    }
    if (!(Math.abs(whole - mean) <= SAME_MEAN * Math.max(size, Math.abs(whole)))) {
      throw new BadInput(
        `loss: expected a mean over examples, got ${whole} for ${count} examples whose own losses have the mean ${mean}. ` +
          "A sum over examples, or examples that influence each other, have no per-example gradients whose mean is the gradient.",
      );
    }
  } finally {
    await session.dispose();
  }
}

/** ∇²_f ℓ_i, [n, C, C]: n times the loss's, a column of all examples at a time. */
async function outputHessians(loss: Graph, output: Tensor, targets: Tensor): Promise<Float64Array> {
  const examples = output.shape[0]!;
  const outputs = sizeOf(output.shape.slice(1));
  const columns = graph(
    (b) => {
      const f = b.input("output", output.shape, loss.inputs["output"]!.type);
      const y = b.input("y", targets.shape, loss.inputs["y"]!.type);
      const value = b.call(loss, { output: f, y })["loss"]!;
      const identity = b.constant(
        Float64Array.from({ length: outputs ** 2 }, (_, k) => Number(k % (outputs + 1) === 0)),
        { shape: [outputs, ...output.shape.slice(1)], type: f.type },
      );
      const { scan } = b.loop({
        steps: outputs,
        state: {},
        body: ({ step }) => {
          const direction = b.expandTo(b.gather(identity, step, 0), output.shape);
          const [product] = b.hessianVectorProduct(value, [f], [direction]);
          return { state: {}, scan: { columns: b.mul(product!, examples) } };
        },
      });
      return { columns: scan.columns };
    },
    { name: "output-hessian" },
  );
  const session = await compile(columns, { precision: "float64" });
  try {
    const result = await session.run({ output: part(output, 0, examples), y: part(targets, 0, examples) });
    const found = result["columns"]!.data as Float64Array; // [C, n, C]
    return new Float64Array(examples * outputs * outputs).map((_, k) => {
      const [i, a, c] = [Math.floor(k / outputs ** 2), Math.floor(k / outputs) % outputs, k % outputs];
      return 0.5 * (found[(a * examples + i) * outputs + c]! + found[(c * examples + i) * outputs + a]!);
    });
  } finally {
    await session.dispose();
  }
}

/** Some examples of a tensor, floats as float64. */
function part({ data, shape, type }: Tensor, first: number, count: number): Tensor {
  const size = sizeOf(shape.slice(1));
  const own = [count, ...shape.slice(1)];
  const piece = data.slice(first * size, (first + count) * size);
  const isFloat = type === "float32" || type === "float64";
  return isFloat
    ? tensor(Float64Array.from(numbersOf({ data: piece, shape: own, type })), own)
    : { data: piece, shape: own, type };
}
