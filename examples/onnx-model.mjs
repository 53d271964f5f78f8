/**
 * Differentiate an ONNX file: import it, add a loss, and ask for gradients and Hessian-vector products. Any file that
 * torch.onnx.export wrote will do: node examples/onnx-model.mjs model.onnx. Without a file it makes one.
 */
import { readFileSync } from "node:fs";
import { compile, exportOnnx, graph, hessianVectorProduct, importOnnx, tensor, vjp } from "@sedge/autodiff";

/** A network 4-8-3 as an exporter would write it, weights inside. */
function someModel() {
  const weights = (...shape) => {
    const count = shape.reduce((product, axis) => product * axis, 1);
    return tensor(
      Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i) / 2),
      shape,
    );
  };
  const network = graph((b) => {
    const hidden = b.tanh(b.dense(b.input("x", ["batch", 4]), b.input("W1", [4, 8]), b.input("b1", [8])));
    return { output: b.dense(hidden, b.input("W2", [8, 3]), b.input("b2", [3])) };
  });
  const params = { W1: weights(4, 8), b1: weights(8), W2: weights(8, 3), b2: weights(3) };
  return exportOnnx(network, { params });
}

const bytes = process.argv[2] === undefined ? someModel() : readFileSync(process.argv[2]);
const { graph: network, params } = importOnnx(bytes);
const [inputName, input] = Object.entries(network.inputs).find(([name]) => !(name in params));
const outputName = Object.keys(network.outputs)[0];

const objective = graph((b) => {
  const inputs = Object.fromEntries(
    Object.entries(network.inputs).map(([name, { shape, type }]) => [name, b.input(name, shape, type)]),
  );
  const output = b.call(network, inputs)[outputName];
  return { loss: b.squaredLoss(output, b.input("target", output.shape)) };
});

const of = "loss";
const wrt = Object.keys(params);
const gradient = await compile(vjp(objective, { of, wrt }));
const examples = 6;
const size = input.shape.slice(1).reduce((product, axis) => product * axis, 1);
const outputSize = network.outputs[outputName].shape.slice(1).reduce((product, axis) => product * axis, 1);
const feeds = {
  ...params,
  [inputName]: Float32Array.from({ length: examples * size }, (_, i) => Math.cos(i)),
  target: new Float32Array(examples * outputSize),
};
const result = await gradient.run(feeds);
console.log(`loss ${result.loss.data[0].toFixed(6)}`);
for (const name of wrt) {
  const norm = Math.hypot(...result[`gradient/${name}`].data);
  console.log(`‖∂loss/∂${name}‖ = ${norm.toFixed(6)}`);
}

const product = await compile(hessianVectorProduct(objective, { of, wrt, vectors: "flat" }));
const parameters = wrt.reduce((sum, name) => sum + params[name].data.length, 0);
const vector = new Float32Array(parameters).fill(1 / Math.sqrt(parameters));
const { product: image } = await product.run({ ...feeds, vector });
const curvature = image.data.reduce((sum, x, i) => sum + x * vector[i], 0);
console.log(`vᵀHv along (1, …, 1)/√P = ${curvature.toFixed(6)}`);
await Promise.all([gradient.dispose(), product.dispose()]);
