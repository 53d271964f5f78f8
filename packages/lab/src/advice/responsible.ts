import type { AdviceInput, HeavyExample, ResponsibleLayer, Statement } from "./advice.js";
import { number } from "./measured.js";

/** A layer stands out with this share, or with so many times what it would have if all had the same. */
const outstandingShare = 0.5;
const outstandingFactor = 2;
/** Examples stand out where this part of the probe, or less, makes half of K. */
const fewExamples = 1 / 8;

/** Which layers and examples put the run where it is. From one probe, without error bars: likely at best. */
export function responsibleStatements({ layers = [], examples = [], probe }: AdviceInput): Statement[] {
  return [...layerStatement(layers), ...exampleStatement(examples, probe)];
}

function layerStatement(layers: readonly ResponsibleLayer[]): Statement[] {
  if (layers.length < 2) return [];
  const byNoise = layers.every(({ perronShare }) => Number.isFinite(perronShare));
  const shareOf = (layer: ResponsibleLayer) => (byNoise ? layer.perronShare : layer.lambdaMaxShare);
  const first = layers.reduce((best, layer) => (shareOf(layer) > shareOf(best) ? layer : best));
  const share = shareOf(first);
  if (!(share >= outstandingShare || share >= outstandingFactor / layers.length)) return [];
  const of = byNoise ? "of K's leading direction" : "of λ_max";
  const also = byNoise && Number.isFinite(first.lambdaMaxShare) ? ` and ${percent(first.lambdaMaxShare)} of λ_max` : "";
  return [
    {
      about: "layers",
      text: `Layer ${first.name} (${first.kind}) makes ${percent(share)} ${of}${also}: a smaller step or a normalisation there moves the edge most.`,
      confidence: "likely",
      numbers: {
        perronShare: { value: first.perronShare, standardError: NaN },
        lambdaMaxShare: { value: first.lambdaMaxShare, standardError: NaN },
      },
    },
  ];
}

function exampleStatement(examples: readonly HeavyExample[], probe: number): Statement[] {
  const heaviest = [...examples].sort((a, b) => b.weight - a.weight);
  let sum = 0;
  const few: HeavyExample[] = [];
  for (const example of heaviest) {
    if (sum >= 0.5) break;
    sum += example.weight;
    few.push(example);
  }
  if (!(sum >= 0.5) || few.length > fewExamples * probe) return [];
  const names = few.map(({ index, label }) => (label == null ? String(index) : `${index} (${label})`)).join(", ");
  return [
    {
      about: "examples",
      text: `${few.length === 1 ? "One example makes" : `${few.length} examples make`} ${percent(sum)} of K on the ${probe} probed: number ${names}. Look whether they are mislabelled or out of place.`,
      confidence: "likely",
      numbers: { weight: { value: sum, standardError: NaN } },
    },
  ];
}

const percent = (share: number) => `${number(100 * share, 2)} %`;
