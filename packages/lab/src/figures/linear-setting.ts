import { createRandom } from "@sedge/linalg";
import {
  criticalLearningRate,
  expectedLoss,
  linearSystem,
  noiseKernel,
  spectralRadius,
  type SgdSettings,
} from "@sedge/theory";
import { courseOverSeeds, type CourseOverSeeds } from "./course-over-seeds.js";
import { breathe, type FigureContext } from "./figure.js";
import { quietKernel } from "./linear-simulation.js";
import { logSteps } from "./numbers.js";

/** One setting of SGD beside the learning rate and the batch size, and the values it is looked at. */
export interface Knob {
  readonly name: "momentum" | "weightDecay";
  readonly values: readonly number[];
}

/** What the theory says at one learning rate. */
export interface SettingEdge {
  readonly learningRate: number;
  readonly exact: number;
  readonly diagonal: number;
  readonly highDim: number;
}

/** The linear model at one value of the setting. */
export interface SettingCase {
  readonly value: number;
  readonly edges: readonly SettingEdge[];
  /** Where K exact = 1, where the paper's K = 1, and the deterministic edge; of which the first met is the limit. */
  readonly critical: { readonly exact: number; readonly diagonal: number; readonly deterministic: number };
  /** Of the exact second-moment operator, where K exact = 1. */
  readonly radiusAtEdge: number;
  /** Simulated where K exact is small, so that a mean over seeds has an honest error bar. */
  readonly course: CourseOverSeeds & { readonly learningRate: number; readonly expectedLoss: readonly number[] };
  /** Expected loss after the last step, by K exact. */
  readonly finals: readonly { readonly k: number; readonly learningRate: number; readonly loss: number }[];
}

export interface SettingData {
  readonly problem: { examples: number; params: number; batchSize: number; steps: number; seeds: number; seed: number };
  readonly recordAt: readonly number[];
  readonly cases: readonly SettingCase[];
}

export const sampling = "without-replacement";
const batchSize = 5;
const courseTarget = 0.9 * quietKernel;
const finalTargets = [0.1, 0.25, 0.5, 0.75, 0.9, 1.02, 1.1, 1.2];

/** Linear regression with i.i.d. Gaussian Jacobian, at each value of a setting. */
export async function linearSetting(
  figure: number,
  knob: Knob,
  { quick, seed, parts, onProgress, signal }: FigureContext,
): Promise<SettingData> {
  const problem = quick
    ? { examples: 50, params: 60, batchSize, steps: 1000, seeds: 32, seed }
    : { examples: 100, params: 120, batchSize, steps: 5000, seeds: 100, seed };
  const { examples, params, steps, seeds } = problem;
  const random = createRandom(`figure ${figure}, ${seed}`);
  const jacobian = random.fork("jacobian").normals(examples * params);
  const residual = random.fork("residual").normals(examples);
  const system = linearSystem({ jacobian, examples, outputs: 1 });
  const recordAt = logSteps(steps, quick ? 40 : 80);
  const cases: SettingCase[] = [];
  for (const [i, value] of knob.values.entries()) {
    onProgress({ label: `${knob.name} ${value}`, done: i, total: knob.values.length });
    const inputs = { version: 1, problem, knob: knob.name, value, recordAt, finalTargets };
    cases.push(await parts.part(`figure-0${figure}-case`, inputs, () => caseAt(value)));
  }
  onProgress({ label: "drawing", done: knob.values.length, total: knob.values.length });
  return { problem, recordAt, cases };

  async function caseAt(value: number): Promise<SettingCase> {
    const fixed = { batchSize, sampling, [knob.name]: value } as Omit<SgdSettings, "learningRate">;
    const at = (learningRate: number) => ({ ...fixed, learningRate });
    const criticalAt = (norm: "exact" | "diagonal" | "deterministic", target = 1) =>
      criticalLearningRate(system, { ...fixed, norm, target }).value;
    const critical = {
      exact: criticalAt("exact"),
      diagonal: criticalAt("diagonal"),
      deterministic: criticalAt("deterministic"),
    };
    await breathe(signal);
    const edges = Array.from({ length: 40 }, (_, i) => (1.3 * critical.exact * (i + 1)) / 40)
      .filter((learningRate) => learningRate < critical.deterministic)
      .map((learningRate) => {
        const { exact, diagonal, highDim } = noiseKernel(system, at(learningRate));
        return { learningRate, exact, diagonal, highDim };
      });
    await breathe(signal);
    const finals: SettingCase["finals"][number][] = [];
    for (const k of finalTargets) {
      const learningRate = criticalAt("exact", k);
      finals.push({ k, learningRate, loss: expectedLoss(system, residual, at(learningRate), steps)[steps]! });
      await breathe(signal);
    }
    const learningRate = criticalAt("exact", courseTarget);
    const expected = expectedLoss(system, residual, at(learningRate), steps);
    const options = { steps, seeds, recordAt, seed: `figure ${figure}, ${seed}` };
    const course = await courseOverSeeds(system, residual, at(learningRate), options, signal);
    return {
      value,
      edges,
      critical,
      radiusAtEdge: spectralRadius(system, at(critical.exact)),
      course: { ...course, learningRate, expectedLoss: recordAt.map((step) => expected[step]!) },
      finals,
    };
  }
}
