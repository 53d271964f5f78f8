/** Which layers make an NTK what it is, from per-layer norms: no layer's own kernel is formed. */
import { compile, vjp, type Session } from "@sedge/autodiff";
import { eigh } from "@sedge/linalg";
import type { ProbeNoiseKernel } from "@sedge/theory";
import { sizeOf, type Params } from "../../models/model.js";
import { checkInputs, checkParams, type ModelInputs } from "../ntk/inputs.js";
import { openPerExampleNorms } from "../ntk/norms.js";
import type { NtkOptions } from "../ntk/ntk.js";
import { tapModel, type DifferentiableModel } from "../ntk/tapped-model.js";
import { layerGroups, type LayerGroup } from "./layer-groups.js";

/** A layer's part of a kernel; the parts of all layers sum to 1. */
export interface LayerEnergy extends LayerGroup {
  /** Of tr Θ. */
  readonly traceShare: number;
  /** Of λ_max: vᵀ Θ_l v / λ_max. */
  readonly lambdaMaxShare: number;
  /** Of the Perron vector's energy, tr(W Θ_l)/tr(W Θ). NaN where there is none: past the deterministic edge, or without noise. */
  readonly perronShare: number;
}

export interface LayerShareInput {
  readonly params: Params;
  readonly inputs: ModelInputs;
  /** Rows [S, n, C] whose products with the Jacobian are those of the kernel: roots of the output curvature, or samples. */
  readonly directions: Float32Array;
  readonly preconditioner?: Params | undefined;
  /** Measured on the kernel of these rows. */
  readonly kernel: Pick<ProbeNoiseKernel, "system" | "perron" | "lambdaMax">;
}

/** Holds sessions: dispose of it. */
export interface LayerShares {
  /** In order of computation. */
  measure(input: LayerShareInput): Promise<LayerEnergy[]>;
  dispose(): Promise<void>;
}

/**
 * Shares of layers by two passes over the network: the squared norms of dᵀJ_i by parameter, for the kernel's own rows d and
 * for those of the Perron blocks W_i = Σ_k w_k u_k u_kᵀ; and J_lᵀv for the top eigenvector v, by one pullback.
 */
export async function openLayerShares(model: DifferentiableModel, options: NtkOptions = {}): Promise<LayerShares> {
  const norms = await openPerExampleNorms(model, options);
  const names = model.params.map(({ name }) => name).filter((name) => name in model.graph.inputs);
  const counts = new Map(model.params.map(({ name, shape }) => [name, sizeOf(shape)]));
  const pullback = vjp(model.graph, { of: "output", wrt: names });
  let session: Promise<Session> | undefined;

  /** ‖D^{-1/2} J_lᵀ v‖² by parameter. */
  async function pulledBack({ params, inputs, directions, preconditioner, kernel }: LayerShareInput) {
    const { examples, tensors } = checkInputs("layerShares", model, inputs);
    session ??= compile(pullback, { threads: options.threads ?? 1 });
    const { shape, type } = model.graph.outputs["output"]!;
    const cotangent = combined(directions, topVectorOf(kernel), examples, model.outputs);
    const data = type === "float64" ? Float64Array.from(cotangent) : cotangent;
    const own = [examples, ...shape.slice(1).map(Number)];
    const outputs = names.map((name) => `gradient/${name}`);
    const feeds = { ...checkParams("layerShares", model, params), ...tensors };
    const given = { ...feeds, "cotangent/output": { data, shape: own, type } };
    const found = await (await session).run(given, { outputs });
    return new Map(
      names.map((name) => {
        const gradient = found[`gradient/${name}`]!.data;
        const divisor = preconditioner?.[name];
        let sum = 0;
        for (let k = 0; k < gradient.length; k++) sum += Number(gradient[k]) ** 2 / (divisor?.[k] ?? 1);
        return [name, sum];
      }),
    );
  }

  return {
    async measure(input) {
      const { params, inputs, directions, preconditioner, kernel } = input;
      const { examples, sizes } = checkInputs("layerShares", model, inputs);
      const rows = directions.length / (examples * model.outputs);
      const own = await norms.parts(params, inputs, directions, { preconditioner });
      const hasPerron = kernel.perron.some((x) => x !== 0);
      const fed = hasPerron
        ? await norms.parts(params, inputs, perronRows(directions, kernel.perron, examples, rows), { preconditioner })
        : null;
      const top = await pulledBack(input);
      const [trace, energy] = [own, fed].map((parts) => (parts ? sumsOf(parts) : null));
      const total = (sums: ReadonlyMap<string, number>) => [...sums.values()].reduce((all, x) => all + x, 0);
      const shareOf = (sums: ReadonlyMap<string, number> | null | undefined, group: LayerGroup) =>
        sums ? group.params.reduce((all, name) => all + (sums.get(name) ?? 0), 0) / total(sums) : NaN;
      return layerGroups(tapModel(model, sizes), counts).map((group) => ({
        ...group,
        traceShare: shareOf(trace, group),
        lambdaMaxShare: shareOf(top, group),
        perronShare: shareOf(energy, group),
      }));
    },
    async dispose() {
      await Promise.all([norms.dispose(), session?.then((open) => open.dispose())]);
    },
  };
}

const sumsOf = (parts: ReadonlyMap<string, Float64Array>): Map<string, number> =>
  new Map([...parts].map(([name, values]) => [name, values.reduce((sum, x) => sum + x, 0)]));

/** v [n·S], example-major; all zeros of a kernel that is zero. */
function topVectorOf({ system: { size, rank, modes } }: Pick<ProbeNoiseKernel, "system">): Float64Array {
  return Float64Array.from({ length: size }, (_, k) => (rank === 0 ? 0 : modes[k * rank + rank - 1]!));
}

/** Σ_s weights[i, s] · directions[s, i], [n, C]. */
function combined(
  directions: Float32Array,
  weights: ArrayLike<number>,
  examples: number,
  outputs: number,
): Float32Array {
  const rows = directions.length / (examples * outputs);
  const sum = new Float32Array(examples * outputs);
  for (let s = 0; s < rows; s++) {
    for (let i = 0; i < examples; i++) {
      const weight = weights[i * rows + s]!;
      for (let c = 0; c < outputs; c++) {
        sum[i * outputs + c]! += weight * directions[(s * examples + i) * outputs + c]!;
      }
    }
  }
  return sum;
}

/** Rows whose squares sum to the Perron blocks: √w_k u_kᵀ times the kernel's own, [S, n, C]. */
function perronRows(directions: Float32Array, perron: Float64Array, examples: number, rows: number): Float32Array {
  const outputs = directions.length / (examples * rows);
  const made = new Float32Array(directions.length);
  for (let i = 0; i < examples; i++) {
    const { values, vectors } = eigh(perron.slice(i * rows ** 2, (i + 1) * rows ** 2), rows);
    for (let k = 0; k < rows; k++) {
      const root = Math.sqrt(Math.max(0, values[k]!));
      for (let s = 0; s < rows; s++) {
        const weight = root * vectors[s * rows + k]!;
        for (let c = 0; c < outputs; c++) {
          made[(k * examples + i) * outputs + c]! += weight * directions[(s * examples + i) * outputs + c]!;
        }
      }
    }
  }
  return made;
}

/** The rows of the roots [n, C, C] of the output curvature as directions [C, n, C]; of the identity for null. */
export function rootDirections(roots: Float64Array | null, examples: number, outputs: number): Float32Array {
  const directions = new Float32Array(outputs * examples * outputs);
  for (let s = 0; s < outputs; s++) {
    for (let i = 0; i < examples; i++) {
      const start = (s * examples + i) * outputs;
      if (roots === null) directions[start + s] = 1;
      else for (let c = 0; c < outputs; c++) directions[start + c] = roots[(i * outputs + s) * outputs + c]!;
    }
  }
  return directions;
}
