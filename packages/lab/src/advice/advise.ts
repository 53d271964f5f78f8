import type { Advice, AdviceInput, Statement } from "./advice.js";
import { boundedCriticalValues } from "./bounds.js";
import type { CriticalValues } from "./critical.js";
import { bar, highest, lowest, margin, number, type Measured } from "./measured.js";
import { responsibleStatements } from "./responsible.js";
import { verdict } from "./verdict.js";

/** An error bar from two halves can be small by chance: K of a finite probe is no better known than this. */
const leastKernelError = 0.03;
/** Less than this is no change worth making. */
const worthwhile = 1.15;
/** Past the deterministic edge, where K = 1 is not known: half of what that edge allows, because K = 1 comes before it. */
const shareForNoise = 0.5;
/** Where K and the deterministic ratio are surely below this, the run is timid. */
const timidBelow = 0.5;

/**
 * What to change about a run: each statement with the numbers it rests on and how sure it is. Where an error bar spans a
 * decision no change is advised; a statement says so, and how to know more.
 */
export function advise(input: AdviceInput): Advice {
  const kernel = widened(input.kernel);
  const judged = verdict({
    status: input.status ?? "running",
    step: input.step ?? 0,
    deterministic: input.deterministic.value,
    noiseKernel: input.kernel.value,
    noiseKernelError: input.kernel.standardError,
  });
  const solved = input.critical !== undefined;
  const known = { ...input, critical: input.critical ?? boundedCriticalValues({ ...input, target: 0.5 }) };
  const statements = [...settingsStatements(known, kernel, solved), ...responsibleStatements(input)];
  return { verdict: judged, temper: temperOf(kernel, input.deterministic), statements };
}

type Known = AdviceInput & { readonly critical: CriticalValues };

/** As the input's K, its error bar no smaller than a probe can know it. */
function widened({ value, standardError }: Measured): Measured {
  const least = leastKernelError * value;
  return { value, standardError: Number.isNaN(standardError) ? least : Math.max(least, standardError) };
}

function temperOf(kernel: Measured, deterministic: Measured): Advice["temper"] {
  if (lowest(deterministic) > 1 || (kernel.value !== Infinity && lowest(kernel) > 1)) return "too-bold";
  const measured = [kernel, deterministic].filter(({ value }) => !Number.isNaN(value));
  if (measured.length === 0 || measured.some((each) => !(highest(each) < 1))) return "unknown";
  return measured.length === 2 && measured.every((each) => highest(each) < timidBelow) ? "timid" : "balanced";
}

function settingsStatements(input: Known, kernel: Measured, solved: boolean): Statement[] {
  const { deterministic } = input;
  const more = input.howToMeasureMore;
  const noAdvice = (text: string): Statement[] => [
    { about: "no-advice", text, confidence: "unsure", numbers: numbersOf(input) },
  ];
  if (Number.isNaN(kernel.value) && Number.isNaN(deterministic.value)) {
    return noAdvice("No advice: neither edge was measured.");
  }
  if (deterministic.value === Infinity) return noAdvice("No advice: λ_max is not finite. The weights have blown up.");
  if (lowest(deterministic) > 1) return [pastDeterministic(input)];
  if (highest(deterministic) >= 1) {
    return noAdvice(
      `No advice on the learning rate: η·λ_max stands at ${bar(deterministic)} of the deterministic edge, and the error bar ` +
        `spans it. ${more?.deterministic ?? "More examples for λ_max narrow it"}.`,
    );
  }
  if (kernel.value === Infinity) {
    return noAdvice(
      Number.isNaN(deterministic.value)
        ? `No advice: the ${input.probe} examples that K is measured on are past the deterministic edge by themselves, and λ_max of the whole set was not measured.`
        : `No advice: the ${input.probe} examples that K is measured on are past the deterministic edge by themselves, ` +
            `the ones that λ_max is measured on stand at ${bar(deterministic)} of it. ${more === undefined ? "More examples" : `More examples (${more.kernel(2 * input.probe)})`} would tell.`,
    );
  }
  if (Number.isNaN(kernel.value)) {
    return noAdvice(
      `No advice: K was not measured, and η·λ_max at ${bar(deterministic)} of the deterministic edge says nothing of the noise.`,
    );
  }
  if (input.status === "diverged" && highest(kernel) < 1) {
    return noAdvice(
      `No advice: the run diverged at step ${input.step ?? 0} although it was inside both edges when last measured, K = ${bar(input.kernel)}. Measure more often to see what changed.`,
    );
  }
  if (lowest(kernel) > 1) return pastStochastic(input, solved);
  if (highest(kernel) >= 1) {
    return noAdvice(
      `No advice: K = ${bar(input.kernel)} lies on both sides of 1 within its error bar. A probe of ${2 * input.probe} examples ` +
        `${more === undefined ? "" : `(${more.kernel(2 * input.probe)}) `}would narrow it.`,
    );
  }
  return inside(input, solved);
}

/** Past the deterministic edge only η helps. */
function pastDeterministic(input: Known): Statement {
  const { learningRate, deterministic, critical } = input;
  const noisy = lowest(critical.learningRate); // K may come to 1 before that
  const atEdge = learningRate / highest(deterministic);
  const most = noisy > 0 ? Math.min(noisy, atEdge) : shareForNoise * atEdge;
  const second = Number.isFinite(critical.learningRate.value)
    ? ` (and K = 1 at η = ${bar(critical.learningRate)})`
    : "";
  return {
    about: "learning-rate",
    text:
      `Lower the learning rate from ${number(learningRate)} to ${number(most)} or less: η·λ_max stands at ` +
      `${bar(deterministic)} of the deterministic edge${second}. A larger batch does not help there.`,
    confidence: "sure",
    numbers: numbersOf(input),
    change: { learningRate: most },
  };
}

function pastStochastic(input: Known, solved: boolean): Statement[] {
  const { learningRate, batchSize, population, kernel, critical } = input;
  const rate = lowest(critical.learningRate);
  const batch = Math.ceil(highest(critical.batchSize));
  const confidence = solved ? "sure" : "likely";
  const numbers = numbersOf(input);
  const start = `The run is past the stochastic edge: K = ${bar(kernel)}.`;
  const lower = rate > 0 && rate < learningRate;
  const raise = batch > batchSize && batch <= population;
  const ways = [
    ...(lower
      ? [
          `lower the learning rate from ${number(learningRate)} to ${number(rate)} or less (K = 1 at η = ${bar(critical.learningRate)})`,
        ]
      : []),
    ...(raise
      ? [`raise the batch from ${batchSize} to ${batch} or more (K = 1 at B = ${bar(critical.batchSize)})`]
      : []),
  ];
  if (ways.length === 0) {
    const text = `${start} Where K = 1 is not known well enough to say by how much to change η or B.`;
    return [{ about: "no-advice", text, confidence: "unsure", numbers }];
  }
  const text = ways.length > 1 ? `Either ${ways.join(", or ")}` : capitalised(ways[0]!);
  // Either of the two is enough; the first is what `change` holds.
  const change = lower ? { learningRate: rate } : { batchSize: batch };
  return [{ about: lower ? "learning-rate" : "batch-size", text: `${start} ${text}.`, confidence, numbers, change }];
}

function inside(input: Known, solved: boolean): Statement[] {
  const { learningRate, batchSize, kernel, deterministic, critical } = input;
  const confidence = solved ? "sure" : "likely";
  const numbers = numbersOf(input);
  const statements: Statement[] = [];
  const lowRate = lowest(critical.learningRate);
  const edgeRate = deterministic.value > 0 ? learningRate / highest(deterministic) : Infinity;
  const room = Math.min(lowRate, edgeRate);
  if (room > worthwhile * learningRate && Number.isFinite(room)) {
    const which =
      lowRate <= edgeRate
        ? `K = 1 at η = ${bar(critical.learningRate)}`
        : `the deterministic edge is at η = ${number(learningRate / deterministic.value)}`;
    const text =
      `The learning rate has room at batch size ${batchSize}: up to ${number(room)}, ` +
      `${number(room / learningRate, 2)} times the present ${number(learningRate)} (${which}; K is now ${bar(kernel)}).`;
    statements.push({ about: "learning-rate", text, confidence, numbers, change: { learningRate: room } });
  } else {
    const text = `Leave the learning rate where it is: K = ${bar(kernel)}, and what is surely stable ends at η = ${number(Math.max(room, learningRate))}.`;
    statements.push({ about: "learning-rate", text, confidence, numbers });
  }
  const least = Math.ceil(highest(critical.batchSize));
  if (least < batchSize && batchSize > worthwhile * least) {
    const text = `The batch could be ${least} instead of ${batchSize} at this learning rate (K = 1 at B = ${bar(critical.batchSize)}).`;
    statements.push({ about: "batch-size", text, confidence, numbers, change: { batchSize: least } });
  }
  return [...statements, ...aim(input), ...largerBatches(input, confidence)];
}

/** η*(B) and B*(η) for the K that is aimed for, one half unless the caller solved for another. */
function aim({ critical, learningRate, batchSize, population }: Known): Statement[] {
  if (critical.aim === undefined) return [];
  const { target, learningRate: rate, batchSize: batch } = critical.aim;
  if (!Number.isFinite(rate.value)) return [];
  const known = Number.isFinite(batch.value) && batch.value <= population;
  const text =
    `K = ${number(target)} would be at η = ${bar(rate)} with B = ${batchSize}` +
    (known ? `, or at B = ${bar(batch)} with η = ${number(learningRate)}.` : ".");
  const spans = margin(rate) > rate.value / 2;
  return [
    {
      about: "aim",
      text,
      confidence: spans ? "unsure" : "likely",
      numbers: { aimLearningRate: rate, aimBatchSize: batch },
    },
  ];
}

/** What a larger batch would buy. */
function largerBatches(input: Known, confidence: Statement["confidence"]): Statement[] {
  const { batchSize, critical, deterministic } = input;
  const turn = critical.deterministicAbove;
  if (!Number.isFinite(turn.value) || Number.isNaN(deterministic.value)) return [];
  const numbers = numbersOf(input);
  if (batchSize > highest(turn)) {
    const text = `Above B = ${number(turn.value)} the deterministic edge is the nearer one: a batch larger than the present ${batchSize} allows no larger step.`;
    return [{ about: "larger-batches", text, confidence, numbers }];
  }
  if (batchSize < lowest(turn)) {
    const text = `Up to B = ${number(turn.value)} noise is what limits the step: a larger batch allows a larger learning rate, about in proportion.`;
    return [{ about: "larger-batches", text, confidence, numbers }];
  }
  return [];
}

function numbersOf({ kernel, deterministic, critical }: Known): Statement["numbers"] {
  return {
    K: kernel,
    deterministicRatio: deterministic,
    criticalLearningRate: critical.learningRate,
    criticalBatchSize: critical.batchSize,
    deterministicAbove: critical.deterministicAbove,
  };
}

const capitalised = (text: string) => text.replace(/^./, (letter) => letter.toUpperCase());
