import { graph, type Dim, type Graph, type Value } from "@sedge/autodiff";
import { importOnnxFile } from "@sedge/autodiff/node";
import { basename } from "node:path";
import { BadInput } from "../errors.js";

/**
 * A loss from an ONNX file, as `torch.onnx.export` writes a module's `forward(output, y)`: the first input is the model's
 * output, the second the targets, the one output a scalar, the mean over examples. What else it has, such as weights of classes,
 * is constant.
 *
 * @returns  With the inputs `output` [batch, …] and `y` [batch, …], float32 whatever it is in the file, and the output `loss`.
 * @throws BadInput in one line: not ONNX, other inputs or outputs, target sizes that are not fixed.
 */
export function lossFromOnnx(path: string): Graph {
  const read = (shapes?: Record<string, readonly Dim[]>) => {
    try {
      return importOnnxFile(path, { params: [], ...(shapes && { shapes }) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new BadInput(`--loss: ${error.message.replace(/^importOnnx(File)?: /, "")}`, { cause: error });
    }
  };
  const first = read();
  const [outputName, targetName] = first.inputs;
  const results = Object.entries(first.graph.outputs);
  if (outputName === undefined || targetName === undefined || first.inputs.length !== 2 || results.length !== 1) {
    throw new BadInput(
      `--loss: ${path}: expected a loss of two inputs, the model's output and the targets, and one output, got the inputs ` +
        `${first.inputs.join(", ")} and the outputs ${results.map(([name]) => name).join(", ")}.`,
    );
  }
  const freed = [outputName, targetName].map((name) => {
    const [, ...own] = first.graph.inputs[name]!.shape;
    if (first.graph.inputs[name]!.shape.length > 0 && own.every((dim) => typeof dim === "number")) {
      return [name, ["batch", ...own]] as const;
    }
    const shape = first.graph.inputs[name]!.shape.join(", ");
    throw new BadInput(
      `--loss: ${path}: input "${name}": expected [batch, …] with sizes that are fixed, got [${shape}].`,
    );
  });
  const { graph: loss, inputs } = read(Object.fromEntries(freed));
  const [name, value] = Object.entries(loss.outputs)[0]!;
  if (value.shape.length !== 0) {
    throw new BadInput(`--loss: ${path}: expected a scalar, the mean over examples, got [${value.shape.join(", ")}].`);
  }
  return graph(
    (b) => {
      const given: Record<string, Value> = {};
      inputs.forEach((input, i) => {
        const { shape, type } = loss.inputs[input]!;
        const float = b.input(i === 0 ? "output" : "y", shape);
        given[input] = type === "float32" ? float : b.cast(float, type);
      });
      return { loss: b.cast(b.call(loss, given)[name]!, "float32") };
    },
    { name: basename(path) },
  );
}
