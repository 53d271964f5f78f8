import { cnn, resnet18, vit } from "../images.js";
import type { Workload } from "../workload.js";
import { lambdaMaxMlp } from "./curvature.js";
import { trainImages } from "./images.js";
import { symmetricEigenproblem } from "./linalg.js";
import { hvpMlp, trainMlp } from "./mlp.js";
import { gradientNormsConv, gradientNormsMlp, ntkConv, ntkMlp } from "./ntk.js";
import { exactKernel, linearSgd, quadraticModel, secondMoment } from "./theory.js";

/** Our side of each workload, by the peers' names. */
export const workloads: Readonly<Record<string, Workload>> = {
  "train-mlp-b1": trainMlp(1, 2000, 1),
  "train-mlp-b32": trainMlp(32, 500, 1),
  "train-mlp-b512": trainMlp(512, 100, 2),
  "train-conv-b32": trainImages(cnn, 10, 2),
  "train-resnet18-b32": trainImages(resnet18, 1, 2),
  "train-vit-b32": trainImages(vit, 3, 2),
  "hvp-mlp-b512": hvpMlp,
  "lambda-max-mlp": lambdaMaxMlp,
  "per-example-grad-norms-mlp": gradientNormsMlp,
  "per-example-grad-norms-conv": gradientNormsConv,
  "ntk-mlp-n256": ntkMlp,
  "ntk-conv-n64": ntkConv,
  "noise-kernel-exact-n64": exactKernel(64),
  "noise-kernel-exact-n256": exactKernel(256),
  "linear-sgd": linearSgd,
  "quadratic-model": quadraticModel,
  "second-moment-d100": secondMoment,
  "eigh-n500": symmetricEigenproblem(500),
  "eigh-n1000": symmetricEigenproblem(1000),
  "eigh-n2000": symmetricEigenproblem(2000),
};
