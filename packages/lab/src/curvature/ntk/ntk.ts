import { compile, type Session, type Tensor } from "@sedge/autodiff";
import { BadInput } from "../../errors.js";
import { breathe } from "../../event-loop.js";
import { sizeOf, type Params } from "../../models/model.js";
import {
  blockOf,
  checkInputs,
  checkParams,
  checkPreconditioner,
  type CheckedInputs,
  type ModelInputs,
} from "./inputs.js";
import { kernelGraph, type KernelGraphOptions } from "./kernel-graph.js";
import { placeBlock, type KernelBlock } from "./kernel-matrix.js";
import { blocksWithin, DEFAULT_MEMORY_BUDGET, evenBlocks, graphBytes, type BlockSize } from "./memory.js";
import { tapModel, type DifferentiableModel, type TappedModel } from "./tapped-model.js";

export interface Ntk {
  /** n. */
  readonly examples: number;
  /** C, or the number of directions. */
  readonly outputs: number;
  /** Θ = J D⁻¹ Jᵀ / n, row-major `[n·C, n·C]`, example-major; exactly symmetric. */
  readonly matrix: Float64Array;
  /** f at the probe, row-major `[n, C]` with the C of the model. */
  readonly output: Float32Array;
}

/** The NTK as a sum over parameter arrays. */
export interface NtkParts extends Ntk {
  readonly parts: readonly { readonly param: string; readonly matrix: Float64Array }[];
}

export interface NtkOptions {
  readonly threads?: number;
  /** Bytes that a measurement may take beside the parameters and inputs: examples and outputs come in blocks. Default 2 GiB. */
  readonly memoryBudget?: number;
}

export interface NtkMeasureOptions {
  /** D > 0 for every parameter: the Jacobian becomes J D^{-1/2}. */
  readonly preconditioner?: Params | undefined;
  /** Directions [S, n, C] in the space of outputs: rows r·J instead of the C rows of J. */
  readonly directions?: Float32Array | undefined;
  /** An earlier result's matrix of the same size, to be written over: fresh memory costs as much as the kernel itself. */
  readonly into?: Float64Array | undefined;
}

/** Computes neural tangent kernels of a model. Holds sessions: dispose of it. */
export interface NtkEstimator {
  /**
   * @param inputs  The model's data input, row-major `[n, …]`, or all of them by name.
   * @throws BadInput if inputs or parameters do not fit the model or are not finite, or the kernel exceeds the memory budget.
   */
  measure(params: Params, inputs: ModelInputs, options?: NtkMeasureOptions): Promise<Ntk>;
  /** As `measure`, with each parameter array's own kernel; those it does not depend on are left out. */
  measureParts(params: Params, inputs: ModelInputs, options?: NtkMeasureOptions): Promise<NtkParts>;
  dispose(): Promise<void>;
}

/**
 * The NTK of any model, layer by layer, without a Jacobian wherever a layer rule says how (rules/). Products are
 * float32 inside the engine, sums over slices and blocks float64: relative error some 1e-7 of λ_max.
 */
export function openNtk(model: DifferentiableModel, options: NtkOptions = {}): Promise<NtkEstimator> {
  return Promise.resolve(new Estimator(model, options));
}

interface Side extends KernelBlock {
  readonly tensors: Record<string, Tensor>;
}

class Estimator implements NtkEstimator {
  private readonly tapped = new Map<string, TappedModel>();
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly blocks = new Map<string, BlockSize>();

  constructor(
    private readonly model: DifferentiableModel,
    private readonly options: NtkOptions,
  ) {}

  async measure(params: Params, inputs: ModelInputs, options: NtkMeasureOptions = {}): Promise<Ntk> {
    const { kernels, ...rest } = await this.kernels(params, inputs, options, false);
    return { ...rest, matrix: kernels.get("kernel")! };
  }

  async measureParts(params: Params, inputs: ModelInputs, options: NtkMeasureOptions = {}): Promise<NtkParts> {
    const { kernels, ...rest } = await this.kernels(params, inputs, options, true);
    const matrix = new Float64Array((rest.examples * rest.outputs) ** 2);
    for (const part of kernels.values()) for (let k = 0; k < matrix.length; k++) matrix[k]! += part[k]!;
    const parts = [...kernels].map(([name, part]) => ({ param: name.slice("kernel/".length), matrix: part }));
    return { ...rest, matrix, parts };
  }

  async dispose(): Promise<void> {
    const open = [...this.sessions.values()];
    this.sessions.clear();
    await Promise.all(open.map(async (session) => (await session).dispose()));
  }

  private async kernels(params: Params, inputs: ModelInputs, options: NtkMeasureOptions, areApart: boolean) {
    const checked = checkInputs("ntk", this.model, inputs);
    const { examples } = checked;
    const { outputs } = this.model;
    const feeds = {
      ...checkParams("ntk", this.model, params),
      ...(options.preconditioner && checkPreconditioner("ntk", this.model, options.preconditioner)),
    };
    const directions = options.directions ? options.directions.length / (examples * outputs) : outputs;
    if (!Number.isInteger(directions) || directions < 1) {
      throw new BadInput(
        `ntk: directions: expected S × ${examples} × ${outputs} numbers, got ${options.directions!.length}.`,
      );
    }
    const { into } = options;
    if (into && into.length !== (examples * directions) ** 2) {
      throw new BadInput(`ntk: into: expected ${(examples * directions) ** 2} numbers, got ${into.length}.`);
    }
    const kind = { isPreconditioned: options.preconditioner !== undefined, areApart };
    const tapped = this.tap(checked);
    const block = this.blockSize(tapped, checked, directions, kind);
    const size = examples * directions;
    const kernels = new Map<string, Float64Array>();
    const output = new Float32Array(examples * outputs);
    const sides = evenBlocks(examples, block.examples).flatMap((some) =>
      evenBlocks(directions, block.directions).map((rows): Side => {
        const side = {
          firstExample: some.first,
          examples: some.count,
          firstDirection: rows.first,
          directions: rows.count,
        };
        return { ...side, tensors: this.tensorsOf(tapped, checked, side, options.directions) };
      }),
    );
    for (const [p, left] of sides.entries()) {
      for (const right of sides.slice(p)) {
        await breathe();
        const session = await this.session(tapped, {
          ...kind,
          examples: block.examples,
          directions: [left.directions, right.directions],
          isDiagonal: left === right,
          sliceBytes: this.sliceBytes,
        });
        const result = await session.run({
          ...feeds,
          ...withPrefix("left", left.tensors),
          ...withPrefix("right", right.tensors),
        });
        for (const [name, { data }] of Object.entries(result)) {
          if (name === "output") {
            if (left === right) output.set(data as Float32Array, left.firstExample * outputs);
            continue;
          }
          let matrix = kernels.get(name);
          if (matrix === undefined) {
            matrix = name === "kernel" && into ? into : new Float64Array(size * size);
            kernels.set(name, matrix);
          }
          placeBlock(matrix, { examples, directions }, data as Float32Array, left, right);
        }
      }
    }
    return { examples, outputs: directions, output, kernels };
  }

  private get budget(): number {
    return this.options.memoryBudget ?? DEFAULT_MEMORY_BUDGET;
  }

  private get sliceBytes(): number {
    return this.budget / 16;
  }

  private tap({ sizes }: CheckedInputs): TappedModel {
    const key = JSON.stringify(sizes);
    let tapped = this.tapped.get(key);
    if (tapped === undefined) this.tapped.set(key, (tapped = tapModel(this.model, sizes)));
    return tapped;
  }

  private blockSize(
    tapped: TappedModel,
    { examples, sizes }: CheckedInputs,
    directions: number,
    kind: Pick<KernelGraphOptions, "isPreconditioned" | "areApart">,
  ): BlockSize {
    const key = JSON.stringify([sizes, examples, directions, kind]);
    const known = this.blocks.get(key);
    if (known) return known;
    const matrices = kind.areApart ? tapped.layered.length + tapped.generic.length + 1 : 1;
    const kernelBytes = 8 * matrices * (examples * directions) ** 2;
    const found =
      kernelBytes > this.budget
        ? null
        : blocksWithin(this.budget - kernelBytes, { examples, directions }, (block, isWhole) => {
            const both = [block.directions, block.directions] as const;
            const options = { ...kind, examples: block.examples, directions: both, sliceBytes: this.sliceBytes };
            return graphBytes(kernelGraph(tapped, { ...options, isDiagonal: isWhole }), block.examples);
          });
    if (found === null) {
      throw new BadInput(
        `ntk: memoryBudget: ${megabytes(this.budget)} are not enough for a kernel of ${examples} examples × ${directions} outputs ` +
          `(${megabytes(kernelBytes)} for its numbers alone); raise it, take fewer examples, or sample outputs.`,
      );
    }
    this.blocks.set(key, found);
    return found;
  }

  private session(tapped: TappedModel, options: KernelGraphOptions): Promise<Session> {
    const sizes = tapped.data.map((name) => tapped.graph.inputs[name]!.shape);
    const key = JSON.stringify([sizes, options]);
    let session = this.sessions.get(key);
    if (session === undefined) {
      session = compile(kernelGraph(tapped, options), { threads: this.options.threads ?? 1 });
      this.sessions.set(key, session);
    }
    return session;
  }

  private tensorsOf(
    { graph }: TappedModel,
    { tensors, examples }: CheckedInputs,
    side: KernelBlock,
    given: Float32Array | undefined,
  ): Record<string, Tensor> {
    const { shape, type } = graph.outputs["output"]!;
    const { outputs } = this.model;
    const width = side.examples * outputs;
    const data =
      type === "float64" ? new Float64Array(side.directions * width) : new Float32Array(side.directions * width);
    for (let s = 0; s < side.directions; s++) {
      const direction = side.firstDirection + s;
      const start = (direction * examples + side.firstExample) * outputs;
      if (given) data.set(given.subarray(start, start + width), s * width);
      else for (let i = 0; i < side.examples; i++) data[s * width + i * outputs + direction] = 1;
    }
    const own = [side.directions, side.examples, ...shape.slice(1).map(Number)];
    if (sizeOf(own) !== data.length) {
      throw new BadInput(
        `ntk: expected ${outputs} outputs for each example, got an output of shape [${shape.join(", ")}].`,
      );
    }
    return { ...blockOf(tensors, side.firstExample, side.examples), directions: { data, shape: own, type } };
  }
}

const withPrefix = (prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`${prefix}/${name}`, value]));

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
