/** What compile does to a graph before the engine sees it. */
import type { Graph } from "../ir/graph.js";
import { tileConvolutions } from "./convolutions.js";
import { factor } from "./factor.js";
import { lowerFloat64 } from "./float64.js";
import { fuse } from "./fuse.js";
import { chooseKernels } from "./kernels.js";
import { regroup } from "./regroup.js";

/** The same function in ops that the engine has, and fewer of them. */
export const optimize = (graph: Graph): Graph =>
  fuse(regroup(factor(chooseKernels(tileConvolutions(lowerFloat64(graph))))));
