/** Networks worked through from the output down, a section at a time, where they do not fit in memory at once. */
import { section, type Graph, type Value } from "@sedge/autodiff";
import { nodesOf, readsOf } from "./memory.js";
import { tapModel, type DifferentiableModel, type TappedModel } from "./tapped-model.js";

/** A part of a model between two values that everything passes through. */
export interface ModelSection {
  /** Its `output` is the section's last value; one of its data inputs may be the section's first. */
  readonly tapped: TappedModel;
  /** The data input that is the value from the section below; null of the lowest. */
  readonly below: string | null;
  /** Numbers of one example in its output, and in what comes from below. */
  readonly outputs: number;
  readonly inputs: number;
}

export interface SectionedModel {
  /** From the data up. */
  readonly sections: readonly ModelSection[];
  /** Computes what each section but the lowest is given, by the name of its input. */
  readonly forward: Graph;
}

/**
 * Cuts a model at every value [n, …] that alone connects what comes before it with what comes after. No parameter is used on
 * both sides of a cut, so that the kernel of the whole is the sum over the sections; each has a parameter. Null where there
 * is no such value.
 */
export function sectionsOf(model: DifferentiableModel, whole: TappedModel): SectionedModel | null {
  const { graph, batch } = whole;
  if (batch === null) return null;
  const cuts = cutsOf(graph, new Set(model.params.map(({ name }) => name)), batch);
  if (cuts.length === 0) return null;
  const names = cuts.map((_, k) => `section/${k + 1}`);
  const ends = [...cuts, graph.outputs["output"]!];
  const sections = ends.map((end, k): ModelSection => {
    const [start, name] = [cuts[k - 1], names[k - 1]];
    const part = section(graph, { from: start ? { [name!]: start } : {}, to: { output: end } });
    const outputs = widthOf(end);
    const own = { graph: part, params: model.params.filter((param) => param.name in part.inputs), outputs };
    return { tapped: tapModel(own, {}), below: name ?? null, outputs, inputs: start ? widthOf(start) : 0 };
  });
  const to = Object.fromEntries(cuts.map((cut, k) => [names[k]!, cut]));
  return { sections, forward: section(graph, { from: {}, to }) };
}

/** The numbers that one example has in a value. */
const widthOf = ({ shape }: Value): number => shape.slice(1).reduce<number>((all, size) => all * Number(size), 1);

/** The values to cut at, in order. */
function cutsOf({ inputs, outputs }: Graph, params: ReadonlySet<string>, batch: string): Value[] {
  const nodes = nodesOf([outputs["output"]!]);
  const isParam = (value: Value): boolean => value.origin.kind === "input" && params.has(value.origin.name);
  // The last node that reads each value, and which values depend on data and on parameters.
  const lastRead = new Map<Value, number>();
  const firstRead = new Map<Value, number>();
  nodes.forEach((node, at) => {
    for (const value of readsOf(node)) {
      lastRead.set(value, at);
      if (!firstRead.has(value)) firstRead.set(value, at);
    }
  });
  const isTrained = new Set<Value>(Object.values(inputs).filter(isParam));
  for (const node of nodes) {
    if (readsOf(node).some((value) => isTrained.has(value))) for (const output of node.outputs) isTrained.add(output);
  }
  const cuts: Value[] = [];
  const open = new Set<Value>();
  let hasParam = false;
  nodes.forEach((node, at) => {
    for (const output of node.outputs) if (isTrained.has(output) && lastRead.has(output)) open.add(output);
    for (const value of [...open]) if (lastRead.get(value)! <= at) open.delete(value);
    for (const value of readsOf(node)) if (isParam(value) && firstRead.get(value) === at) hasParam = true;
    const [only] = open;
    const isAlone =
      open.size === 1 && only!.shape[0] === batch && only!.shape.slice(1).every((dim) => typeof dim === "number");
    if (!isAlone || !hasParam || only!.type !== "float32" || only === cuts.at(-1)) return;
    const isShared = [...firstRead].some(
      ([value, first]) => isParam(value) && first <= at && lastRead.get(value)! > at,
    );
    const later = nodes
      .slice(at + 1)
      .flatMap(readsOf)
      .some(isParam);
    if (isShared || !later) return;
    cuts.push(only!);
    hasParam = false;
  });
  return cuts;
}
