import type { Colours } from "../io.js";
import { formatNumber, formatRatio } from "../output/format.js";
import { pairs } from "../output/table.js";
import type { TheoryResult } from "./evaluate.js";
import type { TheoryCase } from "./theory-file.js";

/** One case for people: the question, both edges, the critical values, a verdict. */
export function theoryPage(given: TheoryCase, result: TheoryResult, colours: Colours): string {
  const { examples, outputs, batchSize, learningRate, momentum, nesterov, weightDecay, sampling, population } = given;
  const question = [
    `N = ${examples}`,
    ...(outputs > 1 ? [`C = ${outputs}`] : []),
    ...(population === undefined ? [] : [`a probe of ${population}`]),
    `B = ${batchSize} ${sampling.replaceAll("-", " ")}`,
    `η = ${formatNumber(learningRate, 4)}`,
    ...(momentum > 0 ? [`m = ${momentum}${nesterov ? " (Nesterov)" : ""}`] : []),
    ...(weightDecay > 0 ? [`δ = ${weightDecay}`] : []),
  ].join(", ");
  const batch = result.criticalBatchSizeExact;
  const rows: [string, string][] = [
    ["λ_max, tr Θ", `${formatNumber(result.lambdaMax, 5)}, ${formatNumber(result.trace, 5)}`],
    [
      "η λ_max/2",
      `${formatRatio(result.deterministicRatio)}   1 on the deterministic edge (with momentum and decay in it)`,
    ],
    ["K exact", `${formatRatio(result.kExact)}   1 on the stochastic edge`],
    ["K diagonal", `${formatRatio(result.kDiagonal)}   the paper's form`],
    ["K highDim", formatRatio(result.kHighDim)],
    ["K trace", formatRatio(result.kTrace)],
    ["growth a step", `${result.spectralRadius.toFixed(6)}   of the expected squared residual, in the end`],
    ["critical η", describeRates(result)],
    [
      "critical B",
      batch === null
        ? "none: the deterministic edge is crossed"
        : `${Math.ceil(batch - 1e-9)}   the smallest with K ≤ 1`,
    ],
    ["verdict", paintVerdict(result, colours)],
  ];
  const { expectedLoss } = result;
  if (expectedLoss !== undefined) {
    const last = expectedLoss.length - 1;
    const from = formatNumber(expectedLoss[0], 4);
    rows.push(["expected loss", `${from} at the start, ${formatNumber(expectedLoss[last], 4)} after ${last} steps`]);
  }
  return `${colours.bold(given.name ?? question)}${given.name === undefined ? "" : `\n${question}`}\n${pairs(rows, colours)}`;
}

function describeRates(result: TheoryResult): string {
  const edge = formatNumber(result.criticalLearningRateDeterministic, 5);
  const stochastic = result.criticalLearningRateExact;
  if (stochastic === null) return `${edge} (deterministic edge; K stays below 1 up to there)`;
  return `${formatNumber(stochastic, 5)} (stochastic edge), ${edge} (deterministic edge)`;
}

function paintVerdict({ stable, binding, kExact, deterministicRatio }: TheoryResult, colours: Colours): string {
  const nearest = Math.max(kExact, deterministicRatio);
  if (!stable) return colours.red(`beyond the ${binding} edge: the expected loss grows without bound`);
  const text = `stable; nearer to the ${binding} edge, at ${formatRatio(nearest)} of it`;
  return nearest > 0.9 ? colours.yellow(text) : colours.green(text);
}
