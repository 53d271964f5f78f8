import { z } from "zod";

const below1 = () => z.number().min(0).lt(1);

/** How a gradient becomes an update. Momentum and weight decay stand beside the learning rate, whatever the kind. */
export const optimizerSchema = z.strictObject({
  kind: z
    .enum(["sgd", "adam", "adamw", "rmsprop"])
    .default("sgd")
    .describe("Update rule, as PyTorch's of that name; weight decay is decoupled in adamw, L2 in the others"),
  nesterov: z.boolean().optional().describe("sgd: look ahead with the momentum. Default false"),
  beta1: below1().optional().describe("adam, adamw: β₁ of the mean gradient. Default 0.9"),
  beta2: below1().optional().describe("adam, adamw: β₂ of the mean squared gradient. Default 0.999"),
  alpha: below1().optional().describe("rmsprop: α of the mean squared gradient. Default 0.99"),
  epsilon: z.number().positive().optional().describe("adam, adamw, rmsprop: ε beside the root. Default 1e-8"),
});

export type OptimizerKind = z.output<typeof optimizerSchema>["kind"];

const settings: Readonly<Record<OptimizerKind, readonly string[]>> = {
  sgd: ["nesterov"],
  adam: ["beta1", "beta2", "epsilon"],
  adamw: ["beta1", "beta2", "epsilon"],
  rmsprop: ["alpha", "epsilon"],
};

/** What of an optimiser's settings does not fit its kind: key and message. */
export function optimizerFaults(
  optimizer: z.output<typeof optimizerSchema>,
  momentum: number,
): { readonly path: string[]; readonly message: string }[] {
  const { kind, ...given } = optimizer;
  const faults = Object.entries(given)
    .filter(([key, value]) => value !== undefined && !settings[kind].includes(key))
    .map(([key]) => {
      const owners = Object.entries(settings).filter(([, keys]) => keys.includes(key));
      return {
        path: ["optimizer", key],
        message: `expected only with optimizer.kind ${owners.map(([owner]) => owner).join(" or ")}, got it with ${kind}`,
      };
    });
  if (momentum !== 0 && (kind === "adam" || kind === "adamw")) {
    faults.push({
      path: ["momentum"],
      message: `expected 0 with optimizer.kind ${kind}, whose momentum is optimizer.beta1, got ${momentum}`,
    });
  }
  if (optimizer.nesterov === true && momentum === 0) {
    faults.push({ path: ["optimizer", "nesterov"], message: "expected only with momentum above 0, got it with 0" });
  }
  return faults;
}
