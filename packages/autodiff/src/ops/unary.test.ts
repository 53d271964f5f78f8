import { expect, test } from "vitest";
import { graph } from "../builder/builder.js";
import { compile } from "../runtime/session.js";
import { checkOp } from "../testing/check-op.js";

const smooth = [
  "Neg",
  "Exp",
  "Sin",
  "Cos",
  "Tan",
  "Atan",
  "Sinh",
  "Cosh",
  "Tanh",
  "Sigmoid",
  "Erf",
  "Softplus",
  "Mish",
  "Gelu",
];
const positive = ["Sqrt", "Log", "Reciprocal"];
const kinked = [
  "Abs",
  "Relu",
  "LeakyRelu",
  "Elu",
  "Celu",
  "Selu",
  "ThresholdedRelu",
  "Softsign",
  "HardSigmoid",
  "HardSwish",
];

test.each(smooth)("%s", (op) =>
  checkOp({ build: (b, [x]) => b.node(op, [x!]), inputs: [{ shape: [2, 3, 5], low: -3, high: 3 }] }),
);

test.each(positive)("%s", (op) =>
  checkOp({ build: (b, [x]) => b.node(op, [x!]), inputs: [{ shape: [7], low: 0.3, high: 4 }] }),
);

test.each(["Asin", "Acos"])("%s", (op) =>
  checkOp({ build: (b, [x]) => b.node(op, [x!]), inputs: [{ shape: [7], low: -0.9, high: 0.9 }] }),
);

// Away from the kinks: no argument lies within a step of one.
test.each(kinked)("%s, on both sides of its kinks", (op) =>
  checkOp({
    build: (b, [x]) => b.node(op, [x!]),
    inputs: [{ shape: [8], values: [-4.1, -2.3, -0.7, -0.2, 0.4, 0.9, 2.2, 4.5] }],
  }),
);

test.each(["Sign", "Floor", "Ceil", "Round"])("%s is flat", (op) =>
  checkOp({ build: (b, [x]) => b.node(op, [x!]), inputs: [{ shape: [4], values: [-1.3, -0.2, 0.4, 2.2] }] }),
);

test("Gelu by tanh", () =>
  checkOp({ build: (b, [x]) => b.gelu(x!, { approximate: "tanh" }), inputs: [{ shape: [9], low: -3, high: 3 }] }));

test("attributes reach the slope", async () => {
  const inputs = [{ shape: [4], values: [-1.5, -0.3, 0.6, 1.9] }];
  await checkOp({ build: (b, [x]) => b.leakyRelu(x!, 0.3), inputs });
  await checkOp({ build: (b, [x]) => b.elu(x!, 1.7), inputs });
  await checkOp({ build: (b, [x]) => b.hardSigmoid(x!, { alpha: 0.3, beta: 0.4 }), inputs });
});

// Values of erf from the DLMF's tables (7.23), 16 digits as math.erf gives them; a few units in the last place.
test("erf in float64 has the accuracy of float64", async () => {
  const x = [-7, -3, -1.5, -1, -0.5, 0, 1e-10, 0.3, 0.84375, 1.1, 1.25, 2, 2.857142857142857, 3.5, 5.9, 6.1];
  const session = await compile(graph((b) => ({ y: b.erf(b.input("x", ["n"], "float64")) })));
  const { y } = await session.run({ x: Float64Array.from(x) });
  await session.dispose();
  ERF.forEach((value, i) => expect(Math.abs(Number(y!.data[i]) - value)).toBeLessThan(4e-16));
});

const ERF = [
  -1.0, -0.9999779095030014, -0.9661051464753108, -0.8427007929497149, -0.5204998778130465, 0.0, 1.1283791670955126e-10,
  0.3286267594591274, 0.7672256612323416, 0.8802050695740817, 0.9229001282564582, 0.9953222650189527,
  0.9999466876886117, 0.9999992569016276, 0.9999999999999999, 1.0,
];
