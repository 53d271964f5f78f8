import { z } from "zod";
import { listSchema } from "./schemas.js";

const place = {
  step: z.int(),
  time: z.number().describe("Milliseconds since the epoch"),
  kind: z.string().describe("What it is of, or who says it. One of a kind at a step"),
};

export const recordsQuerySchema = z.strictObject({
  kind: listSchema.optional().describe("Only those of these kinds, separated by commas; spectrum is spectrum/ntk too"),
  afterStep: z.coerce.number().int().min(0).optional().describe("Only those of later steps"),
  limit: z.coerce.number().int().min(1).max(10_000).optional().describe("At most so many of the latest. Default 1000"),
});

export const probesSchema = z.object({
  probes: z.array(z.object({ ...place, data: z.record(z.string(), z.unknown()) })),
});
export const spectraSchema = z.object({
  spectra: z.array(z.object({ ...place, eigenvalues: z.array(z.number()).describe("Ascending") })),
});
export const adviceSchema = z.object({
  advice: z.array(z.object({ ...place, text: z.string(), data: z.record(z.string(), z.unknown()) })),
});
export const artifactsSchema = z.object({
  artifacts: z.array(
    z.object({
      name: z.string(),
      time: z.number(),
      mediaType: z.string(),
      bytes: z.int(),
      digest: z.string().describe("SHA-256, hexadecimal"),
    }),
  ),
});
