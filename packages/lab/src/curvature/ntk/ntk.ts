import { compile, type Tensor } from "@sedge/autodiff";
import { BadInput } from "../../errors.js";
import { breathe } from "../../event-loop.js";
import type { Params } from "../../models/model.js";
import {
  blockOf,
  checkInputs,
  checkParams,
  checkPreconditioner,
  type CheckedInputs,
  type ModelInputs,
} from "./inputs.js";
import { addKernels, KernelSessions, pairsOf, type KernelJob, type KernelSums } from "./kernel-blocks.js";
import { kernelGraph } from "./kernel-graph.js";
import { blocksWithin, DEFAULT_MEMORY_BUDGET, evenBlocks, graphBytes, type BlockSize } from "./memory.js";
import { sectionsOf, type SectionedModel } from "./sections.js";
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
  /** Called as the work goes on, with the share of it that is done. */
  readonly onProgress?: ((share: number) => void) | undefined;
  /** Looked at between pieces of work, of seconds at most for networks of tens of millions of parameters. */
  readonly signal?: AbortSignal | undefined;
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
 *
 * What does not fit in the memory budget as a whole is worked through in sections from the output down, if the model has
 * values that everything passes through (sections.ts): each backward pass is then made once. Otherwise in blocks of examples
 * and outputs, of which every pair takes the backward passes of both.
 */
export function openNtk(model: DifferentiableModel, options: NtkOptions = {}): Promise<NtkEstimator> {
  return Promise.resolve(new Estimator(model, options));
}

class Estimator implements NtkEstimator {
  private readonly plans = new Map<string, Plan>();
  private readonly sessions: KernelSessions;

  constructor(
    private readonly model: DifferentiableModel,
    private readonly options: NtkOptions,
  ) {
    this.sessions = new KernelSessions(options.threads ?? 1);
  }

  async measure(params: Params, inputs: ModelInputs, options: NtkMeasureOptions = {}): Promise<Ntk> {
    const { kernels, ...rest } = await this.kernels(params, inputs, options, false);
    return { ...rest, matrix: kernels.get("kernel")! };
  }

  async measureParts(params: Params, inputs: ModelInputs, options: NtkMeasureOptions = {}): Promise<NtkParts> {
    const { kernels, ...rest } = await this.kernels(params, inputs, options, true);
    const matrix = new Float64Array((rest.examples * rest.outputs) ** 2);
    for (const part of kernels.values()) for (let k = 0; k < matrix.length; k++) matrix[k]! += part[k]!;
    const found = new Map([...kernels].map(([name, part]) => [name.slice("kernel/".length), part]));
    const parts = this.model.params.flatMap(({ name: param }) => {
      const part = found.get(param);
      return part ? [{ param, matrix: part }] : [];
    });
    return { ...rest, matrix, parts };
  }

  dispose(): Promise<void> {
    return this.sessions.dispose();
  }

  private async kernels(params: Params, inputs: ModelInputs, options: NtkMeasureOptions, areApart: boolean) {
    const checked = checkInputs("ntk", this.model, inputs);
    const { examples } = checked;
    const { outputs } = this.model;
    const feeds = {
      ...checkParams("ntk", this.model, params),
      ...(options.preconditioner && checkPreconditioner("ntk", this.model, options.preconditioner)),
    };
    const { directions: rows = null, into, signal, onProgress } = options;
    const directions = rows ? rows.length / (examples * outputs) : outputs;
    if (!Number.isInteger(directions) || directions < 1) {
      throw new BadInput(`ntk: directions: expected S × ${examples} × ${outputs} numbers, got ${rows!.length}.`);
    }
    if (into && into.length !== (examples * directions) ** 2) {
      throw new BadInput(`ntk: into: expected ${(examples * directions) ** 2} numbers, got ${into.length}.`);
    }
    into?.fill(0);
    const kind = { isPreconditioned: options.preconditioner !== undefined, areApart, sliceBytes: this.budget / 16 };
    const plan = this.plan(checked, directions, kind);
    const sums: KernelSums = { examples, directions, matrices: new Map(), into };
    const all = plan.parts.reduce((sum, { block }) => sum + pairsOf({ examples, directions }, block), 0);
    let done = 0;
    const onPair = () => {
      signal?.throwIfAborted();
      onProgress?.(done++ / all);
    };
    const first = { data: checked.tensors, outputs, rows, feeds };
    if (plan.sectioned === null) {
      const { tapped, block } = plan.parts[0]!;
      const { output } = await addKernels({ ...first, tapped, block, kind }, sums, this.sessions, onPair);
      return { examples, outputs: directions, output, kernels: sums.matrices };
    }
    const output = await this.addSections(plan.sectioned, plan.parts, { ...first, kind }, sums, onPair);
    return { examples, outputs: directions, output, kernels: sums.matrices };
  }

  /** From the output down: each section is given the rows that the one above it has pulled back. */
  private async addSections(
    { sections, forward }: SectionedModel,
    parts: readonly PlannedPart[],
    whole: Omit<KernelJob, "tapped" | "block">,
    sums: KernelSums,
    onPair: () => void,
  ): Promise<Float32Array> {
    const between = await this.valuesBetween(forward, whole, sums.examples, onPair);
    let { rows } = whole;
    let output: Float32Array | null = null;
    for (const [k, { below, outputs, tapped }] of [...sections.entries()].reverse()) {
      const own = { ...whole.data, ...(below !== null && { [below]: between[below]! }) };
      const data = Object.fromEntries(tapped.data.map((name) => [name, own[name]!]));
      const kind = { ...whole.kind, pullTo: below };
      const job = { ...whole, data, outputs, rows, kind, ...parts[k]! };
      // A session keeps the memory of its largest run: only one section's at a time.
      const sessions = new KernelSessions(this.options.threads ?? 1);
      const result = await addKernels(job, sums, sessions, onPair).finally(() => sessions.dispose());
      output ??= result.output;
      rows = result.pulled;
    }
    return output!;
  }

  /** The values at the cuts, [n, …] by name. */
  private async valuesBetween(
    forward: SectionedModel["forward"],
    { data, feeds }: Pick<KernelJob, "data" | "feeds">,
    examples: number,
    onPair: () => void,
  ): Promise<Record<string, Tensor>> {
    const size = blocksWithin(this.budget, { examples, directions: 1 }, (block) => graphBytes(forward, block.examples));
    const session = await compile(forward, { threads: this.options.threads ?? 1 });
    const found: Record<string, Tensor> = {};
    try {
      for (const { first, count } of evenBlocks(examples, size?.examples ?? 1)) {
        await breathe();
        onPair();
        for (const [name, value] of Object.entries(await session.run({ ...feeds, ...blockOf(data, first, count) }))) {
          const width = value.data.length / count;
          const whole = found[name] ?? {
            ...value,
            data: new Float32Array(examples * width),
            shape: [examples, ...value.shape.slice(1)],
          };
          (whole.data as Float32Array).set(value.data as Float32Array, first * width);
          found[name] = whole;
        }
      }
    } finally {
      await session.dispose();
    }
    return found;
  }

  private get budget(): number {
    return this.options.memoryBudget ?? DEFAULT_MEMORY_BUDGET;
  }

  /** How a measurement fits in the budget: as a whole, in sections, or in blocks. */
  private plan({ examples, sizes }: CheckedInputs, directions: number, kind: KernelJob["kind"]): Plan {
    const key = JSON.stringify([sizes, examples, directions, kind]);
    const known = this.plans.get(key);
    if (known) return known;
    const tapped = tapModel(this.model, sizes);
    const matrices = kind.areApart ? tapped.layered.length + tapped.generic.length + 1 : 1;
    const kernelBytes = 8 * matrices * (examples * directions) ** 2;
    const all = { examples, directions };
    const bytesFor = (part: TappedModel, pullTo: string | null, block: BlockSize, isWhole: boolean) => {
      const both = [block.directions, block.directions] as const;
      const options = { ...kind, pullTo, examples: block.examples, directions: both };
      return graphBytes(kernelGraph(part, { ...options, isDiagonal: isWhole }), block.examples);
    };
    const fit = (part: TappedModel, held: number, pullTo: string | null) =>
      blocksWithin(this.budget - kernelBytes - held, all, (block, isWhole) => bytesFor(part, pullTo, block, isWhole));
    const isTooLarge = kernelBytes > this.budget || bytesFor(tapped, null, all, true) > this.budget - kernelBytes;
    if (isTooLarge && kernelBytes <= this.budget) {
      const sectioned = sectionsOf(this.model, tapped);
      const parts = sectioned?.sections.map(({ tapped: part, below, outputs, inputs }) => {
        // What every section is given at once, the rows of this one and those that it hands on.
        const ends = sectioned.sections.reduce((sum, each) => sum + each.inputs, 0);
        const held = 4 * examples * (ends + directions * (outputs + inputs));
        return { tapped: part, block: fit(part, held, below) };
      });
      if (sectioned && parts?.every((part): part is PlannedPart => part.block !== null)) {
        const plan = { sectioned, parts };
        this.plans.set(key, plan);
        return plan;
      }
    }
    const whole = kernelBytes > this.budget ? null : isTooLarge ? fit(tapped, 0, null) : all;
    if (whole === null) {
      throw new BadInput(
        `ntk: memoryBudget: ${megabytes(this.budget)} are not enough for a kernel of ${examples} examples × ${directions} outputs ` +
          `(${megabytes(kernelBytes)} for its numbers alone); raise it, take fewer examples, or sample outputs.`,
      );
    }
    const plan = { sectioned: null, parts: [{ tapped, block: whole }] };
    this.plans.set(key, plan);
    return plan;
  }
}

interface PlannedPart {
  readonly tapped: TappedModel;
  readonly block: BlockSize;
}

interface Plan {
  readonly sectioned: SectionedModel | null;
  /** One for each section, or one for the whole. */
  readonly parts: readonly PlannedPart[];
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
