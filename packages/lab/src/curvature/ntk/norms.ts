import { compile, type Graph, type Session, type Tensor } from "@sedge/autodiff";
import { BadInput } from "../../errors.js";
import { breathe } from "../../event-loop.js";
import type { Params } from "../../models/model.js";
import { lossGraph, type LossLike } from "../../objectives/loss-graph.js";
import {
  blockOf,
  checkInputs,
  checkParams,
  checkPreconditioner,
  checkTargets,
  type ModelInputs,
  type Targets,
} from "./inputs.js";
import { blocksWithin, DEFAULT_MEMORY_BUDGET, evenBlocks, graphBytes } from "./memory.js";
import { normsGraph, type NormsGraphOptions } from "./norms-graph.js";
import type { NtkOptions } from "./ntk.js";
import { tapModel, type DifferentiableModel, type TappedModel } from "./tapped-model.js";

export interface NormOptions {
  /** D > 0 for every parameter: norms of ∇ D^{-1/2}. */
  readonly preconditioner?: Params | undefined;
}

/** Exact squared norms of per-example gradients, without a gradient being kept. Holds sessions: dispose of it. */
export interface PerExampleNorms {
  /**
   * ‖J_i‖²_F of every example, [n]: their mean is tr Θ.
   *
   * @throws BadInput if inputs or parameters do not fit the model or are not finite.
   */
  jacobian(params: Params, inputs: ModelInputs, options?: NormOptions): Promise<Float64Array>;
  /**
   * ‖∇ℓ_i‖² of every example, [n], for a loss that is a mean of ℓ_i over examples.
   *
   * @throws BadInput also if the targets do not fit.
   */
  gradient(params: Params, inputs: ModelInputs, targets: Targets, options?: NormOptions): Promise<Float64Array>;
  /**
   * ‖d_s J_i‖² of given rows d in the space of outputs, each parameter array by itself, and summed over the S rows: [n] by name.
   * Arrays on which the output does not depend are left out.
   *
   * @param directions  [S, n, C].
   */
  parts(
    params: Params,
    inputs: ModelInputs,
    directions: Float32Array,
    options?: NormOptions,
  ): Promise<ReadonlyMap<string, Float64Array>>;
  dispose(): Promise<void>;
}

export function openPerExampleNorms(
  model: DifferentiableModel,
  options: NtkOptions & { readonly loss?: LossLike } = {},
): Promise<PerExampleNorms> {
  return Promise.resolve(new Norms(model, options));
}

/** ‖∇ℓ_i‖² of every example, [n]: opens, measures and closes. */
export async function perExampleGradientNorms(
  model: DifferentiableModel,
  loss: LossLike,
  params: Params,
  data: { readonly inputs: ModelInputs; readonly targets: Targets },
  options: NtkOptions = {},
): Promise<Float64Array> {
  const norms = await openPerExampleNorms(model, { ...options, loss });
  try {
    return await norms.gradient(params, data.inputs, data.targets);
  } finally {
    await norms.dispose();
  }
}

/** tr Θ over a probe with its standard error over examples, from exact squared Jacobian norms. */
export async function jacobianTrace(
  model: DifferentiableModel,
  params: Params,
  inputs: ModelInputs,
  options: NtkOptions = {},
): Promise<{ readonly value: number; readonly standardError: number }> {
  const norms = await openPerExampleNorms(model, options);
  try {
    return meanOf(await norms.jacobian(params, inputs));
  } finally {
    await norms.dispose();
  }
}

/** The mean and its standard error; NaN for the latter of one value. */
export function meanOf(values: Float64Array): { readonly value: number; readonly standardError: number } {
  const n = values.length;
  const value = values.reduce((sum, x) => sum + x, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - value) ** 2, 0);
  return { value, standardError: n > 1 ? Math.sqrt(squares / (n - 1) / n) : NaN };
}

class Norms implements PerExampleNorms {
  private readonly tapped = new Map<string, TappedModel>();
  private readonly sessions = new Map<string, Promise<{ session: Session; block: number }>>();
  private readonly loss: Graph | null;

  constructor(
    private readonly model: DifferentiableModel,
    private readonly options: NtkOptions & { readonly loss?: LossLike },
  ) {
    this.loss = options.loss === undefined ? null : lossGraph(options.loss, model);
  }

  async jacobian(params: Params, inputs: ModelInputs, options: NormOptions = {}): Promise<Float64Array> {
    const { outputs } = this.model;
    return this.sum(params, inputs, { directions: outputs }, options, (_, count, { graph }) => {
      const { shape, type } = graph.outputs["output"]!;
      const size = outputs * count * outputs;
      const data = type === "float64" ? new Float64Array(size) : new Float32Array(size);
      for (let s = 0; s < outputs; s++) for (let i = 0; i < count; i++) data[(s * count + i) * outputs + s] = 1;
      return { directions: { data, shape: [outputs, count, ...shape.slice(1).map(Number)], type } };
    });
  }

  async gradient(
    params: Params,
    inputs: ModelInputs,
    targets: Targets,
    options: NormOptions = {},
  ): Promise<Float64Array> {
    const { loss } = this;
    if (loss === null) throw new BadInput("perExampleNorms: gradient: expected the option loss when it was opened.");
    const y = checkTargets("perExampleNorms", loss, this.model.outputs, targets);
    return this.sum(params, inputs, { loss }, options, (first, count) => blockOf({ y }, first, count));
  }

  async parts(
    params: Params,
    inputs: ModelInputs,
    directions: Float32Array,
    options: NormOptions = {},
  ): Promise<ReadonlyMap<string, Float64Array>> {
    const { outputs } = this.model;
    const { examples } = checkInputs("perExampleNorms", this.model, inputs);
    const rows = directions.length / (examples * outputs);
    if (!Number.isInteger(rows) || rows < 1) {
      throw new BadInput(
        `perExampleNorms: directions: expected S × ${examples} × ${outputs} numbers, got ${directions.length}.`,
      );
    }
    const of = { directions: rows };
    return this.measure(params, inputs, of, { ...options, areApart: true }, (first, count, { graph }) => {
      const { shape, type } = graph.outputs["output"]!;
      const width = count * outputs;
      const data = type === "float64" ? new Float64Array(rows * width) : new Float32Array(rows * width);
      for (let s = 0; s < rows; s++) {
        const start = (s * examples + first) * outputs;
        data.set(directions.subarray(start, start + width), s * width);
      }
      return { directions: { data, shape: [rows, count, ...shape.slice(1).map(Number)], type } };
    });
  }

  async dispose(): Promise<void> {
    const open = [...this.sessions.values()];
    this.sessions.clear();
    await Promise.all(open.map(async (entry) => (await entry).session.dispose()));
  }

  private async sum(...measured: Parameters<Norms["measure"]>): Promise<Float64Array> {
    return (await this.measure(...measured)).get("")!;
  }

  /** Norms by parameter, or with the empty name for all together. */
  private async measure(
    params: Params,
    inputs: ModelInputs,
    of: NormsGraphOptions["of"],
    { preconditioner, areApart = false }: NormOptions & { readonly areApart?: boolean },
    extra: (first: number, count: number, tapped: TappedModel) => Record<string, Tensor>,
  ): Promise<ReadonlyMap<string, Float64Array>> {
    const where = "perExampleNorms";
    const { examples, tensors, sizes } = checkInputs(where, this.model, inputs);
    const feeds = {
      ...checkParams(where, this.model, params),
      ...(preconditioner && checkPreconditioner(where, this.model, preconditioner)),
    };
    const key = JSON.stringify(sizes);
    let tapped = this.tapped.get(key);
    if (tapped === undefined) this.tapped.set(key, (tapped = tapModel(this.model, sizes)));
    const kind = { of, isPreconditioned: preconditioner !== undefined, areApart };
    const { session, block } = await this.open(tapped, examples, kind, key);
    const norms = new Map<string, Float64Array>();
    for (const { first, count } of evenBlocks(examples, block)) {
      await breathe();
      const data = Object.entries(blockOf(tensors, first, count)).map(([name, value]) => [`data/${name}`, value]);
      const feed = {
        ...feeds,
        ...(Object.fromEntries(data) as Record<string, Tensor>),
        ...extra(first, count, tapped),
      };
      for (const [name, { data: found }] of Object.entries(await session.run(feed))) {
        const param = name.slice("norms/".length);
        const own = norms.get(param) ?? new Float64Array(examples);
        norms.set(param, own);
        for (let k = 0; k < found.length; k++) own[first + (k % count)]! += Number(found[k]);
      }
    }
    return norms;
  }

  private open(
    tapped: TappedModel,
    examples: number,
    kind: Pick<NormsGraphOptions, "of" | "isPreconditioned" | "areApart">,
    sizes: string,
  ): Promise<{ session: Session; block: number }> {
    const { memoryBudget: budget = DEFAULT_MEMORY_BUDGET, threads = 1 } = this.options;
    const { of, isPreconditioned, areApart } = kind;
    const key = JSON.stringify([sizes, examples, "loss" in of ? "loss" : of.directions, isPreconditioned, areApart]);
    let entry = this.sessions.get(key);
    if (entry === undefined) {
      const graphFor = (count: number): Graph =>
        normsGraph(tapped, { ...kind, examples: count, sliceBytes: budget / 16 });
      const found = blocksWithin(budget, { examples, directions: 1 }, (size) =>
        graphBytes(graphFor(size.examples), size.examples),
      );
      if (found === null) {
        throw new BadInput(
          `perExampleNorms: memoryBudget: ${Math.floor(budget / 2 ** 20)} MiB are not enough for one example.`,
        );
      }
      const block = found.examples;
      entry = compile(graphFor(block), { threads }).then((session) => ({ session, block }));
      this.sessions.set(key, entry);
    }
    return entry;
  }
}
