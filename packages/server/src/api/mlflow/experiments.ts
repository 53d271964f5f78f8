import { z } from "zod";
import type { Experiment } from "../../store/experiments.js";
import { MlflowError } from "./errors.js";
import { experimentMessage } from "./messages.js";
import { method, type MlflowContext, type MlflowMethod } from "./method.js";
import {
  createExperimentSchema,
  experimentIdSchema,
  experimentNameSchema,
  experimentTagSchema,
  searchExperimentsSchema,
} from "./schemas.js";

export function requireExperiment({ store }: MlflowContext, id: string): Experiment {
  const experiment = store.experiments.get(Number(id));
  if (experiment !== undefined) return experiment;
  throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `No experiment has the id ${id}.`);
}

export function experimentMethods(context: MlflowContext): Record<string, MlflowMethod> {
  const { experiments } = context.store;
  return {
    "experiments/create": method("POST", createExperimentSchema, ({ name, tags }) => {
      const created = experiments.create(name, Object.fromEntries(tags.map(({ key, value }) => [key, value])));
      if (created !== undefined) return { experiment_id: String(created.id) };
      throw new MlflowError("RESOURCE_ALREADY_EXISTS", `Experiment ${JSON.stringify(name)} exists already.`);
    }),
    "experiments/get": method("GET", experimentIdSchema, ({ experiment_id: id }) => {
      return { experiment: experimentMessage(requireExperiment(context, id)) };
    }),
    "experiments/get-by-name": method("GET", experimentNameSchema, ({ experiment_name: name }) => {
      const experiment = experiments.named(name);
      if (experiment !== undefined) return { experiment: experimentMessage(experiment) };
      throw new MlflowError("RESOURCE_DOES_NOT_EXIST", `No experiment has the name ${JSON.stringify(name)}.`);
    }),
    "experiments/set-experiment-tag": method("POST", experimentTagSchema, ({ experiment_id: id, key, value }) => {
      experiments.setTag(requireExperiment(context, id), key, value);
      return {};
    }),
    "experiments/search": method("POST", searchExperimentsSchema, ({ max_results: most, page_token: token }) => {
      const all = experiments.all();
      const start = Number(token);
      const end = start + most;
      return {
        experiments: all.slice(start, end).map(experimentMessage),
        ...(end < all.length ? { next_page_token: String(end) } : {}),
      };
    }),
    // Clients before 2.0.
    "experiments/list": method("GET", z.object({}), () => ({ experiments: experiments.all().map(experimentMessage) })),
  };
}
