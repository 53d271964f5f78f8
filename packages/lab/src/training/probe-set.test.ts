import { createRandom } from "@sedge/linalg";
import { expect, test } from "vitest";
import type { Probe, ProbeContext, ProbeMemory } from "../probes/probe.js";
import { openProbes } from "./probe-set.js";

test("an observation that is broken off leaves what probes remember as it was", async () => {
  const stop = new AbortController();
  /** Remembers the step of its last measurement. */
  const remembering: Probe = {
    name: "remembering",
    open: ({ memory }) => {
      let last = memory?.["last"];
      return Promise.resolve({
        get memory(): ProbeMemory {
          return last ? { last } : {};
        },
        observe: ({ step }) => {
          last = Float64Array.of(step);
          return Promise.resolve({});
        },
        close: () => Promise.resolve(),
      });
    },
  };
  const stopped: Probe = {
    name: "stopped",
    open: () =>
      Promise.resolve({
        observe: () => {
          stop.signal.throwIfAborted();
          return Promise.resolve({});
        },
        close: () => Promise.resolve(),
      }),
  };
  // Neither looks at the run.
  const context = {} as Omit<ProbeContext, "random" | "memory">;
  const probes = await openProbes([remembering, stopped], context, createRandom(0));
  const view = (step: number) => ({ step, params: {}, carried: {}, learningRate: 1, signal: stop.signal });
  await probes.observe(view(3), probes.names);
  expect(probes.memory()).toEqual({ remembering: { last: Float64Array.of(3) }, stopped: {} });
  stop.abort();
  await expect(probes.observe(view(7), probes.names)).rejects.toThrow();
  expect(probes.memory()).toEqual({ remembering: { last: Float64Array.of(3) }, stopped: {} });
  await probes.close();
});
