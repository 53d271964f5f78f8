/** Every operator that is not taken as it stands: older forms brought to opset 21, and compositions. */
import { attentionRewrites } from "./attention.js";
import { arrangementRewrites } from "./arrangement.js";
import { contribRewrites } from "./contrib.js";
import { lossRewrites } from "./losses.js";
import { normalizationRewrites } from "./normalization.js";
import { versionRewrites } from "./versions.js";
import type { Rewrite } from "./source.js";

const byDomain: Readonly<Record<string, ReadonlyMap<string, Rewrite>>> = {
  "": new Map(
    Object.entries({
      ...versionRewrites,
      ...normalizationRewrites,
      ...arrangementRewrites,
      ...lossRewrites,
      ...attentionRewrites,
    }),
  ),
  "com.microsoft": new Map(Object.entries(contribRewrites)),
};

export const rewriteFor = (domain: string, op: string): Rewrite | undefined =>
  Object.hasOwn(byDomain, domain) ? byDomain[domain]!.get(op) : undefined;

export const isRewritten = (domain: string, op: string): boolean => rewriteFor(domain, op) !== undefined;
