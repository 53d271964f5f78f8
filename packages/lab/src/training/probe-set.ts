import type { Random } from "@sedge/linalg";
import type { OpenProbe, Probe, ProbeContext, ProbeMemory, ProbeRecord, ProbeView } from "../probes/probe.js";
import { divergenceLimit } from "./trainer.js";

/** What all probes saw at one step. */
export interface Observation {
  /** Metrics by path, with `cost/NAME`, the seconds that each probe took. */
  readonly values: Readonly<Record<string, number>>;
  /** Spectra, attributions: what is more than a number. */
  readonly records: readonly ProbeRecord[];
  /** The training loss is not finite, or beyond the limit: the probes after it were spared. */
  readonly diverged: boolean;
  /** Probes that failed now, and why. They are not asked again. */
  readonly warnings: readonly string[];
}

/** The probes of one run, in order. */
export interface ProbeSet {
  /** Of those that are still asked, in order. */
  readonly names: readonly string[];
  /** Asks the probes of these names, those that were switched off left out. */
  observe(view: ProbeView, names: readonly string[]): Promise<Observation>;
  /** By probe, as the last complete observation left it: one that is broken off is made again when the run is resumed. */
  memory(): Readonly<Record<string, ProbeMemory>>;
  /** Probes that failed and are not asked any more. */
  switchedOff(): string[];
  close(): Promise<void>;
}

/** Opens every probe on a random stream of its own name, so that no probe's presence changes what another draws. */
export async function openProbes(
  probes: readonly Probe[],
  context: Omit<ProbeContext, "random" | "memory">,
  seed: Random,
  resume: { readonly memory: Readonly<Record<string, ProbeMemory>>; readonly switchedOff: readonly string[] } = {
    memory: {},
    switchedOff: [],
  },
): Promise<ProbeSet> {
  const names = probes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new RangeError(`train: two probes are called "${twice}"; each needs a name of its own.`);
  }
  const open = new Map<string, OpenProbe>();
  const close = async () => {
    await Promise.all([...open.values()].map((probe) => probe.close()));
  };
  try {
    for (const probe of probes) {
      const { name } = probe;
      const random = seed.fork("probe").fork(name);
      open.set(name, await probe.open({ ...context, random, memory: resume.memory[name] }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const remembered = () => Object.fromEntries([...open].map(([name, probe]) => [name, probe.memory ?? {}]));
  let settled = remembered();
  const watching = new Set([...open.keys()].filter((name) => !resume.switchedOff.includes(name)));

  return {
    get names() {
      return [...watching];
    },
    async observe(view, names) {
      const observation = await observe(view, names);
      settled = remembered();
      return observation;
    },
    memory: () => settled,
    switchedOff: () => [...open.keys()].filter((name) => !watching.has(name)),
    close,
  };

  async function observe(view: ProbeView, names: readonly string[]): Promise<Observation> {
    const values: Record<string, number> = {};
    const warnings: string[] = [];
    const records: ProbeRecord[] = [];
    const findings = new Map<string, Float64Array>();
    const record = (made: ProbeRecord) => void records.push(made);
    for (const name of [...watching].filter((each) => names.includes(each))) {
      const start = performance.now();
      try {
        Object.assign(values, await open.get(name)!.observe({ ...view, findings, record }));
      } catch (error) {
        view.signal?.throwIfAborted();
        // Hours of training outweigh one instrument: it is switched off, and the run's result says so.
        watching.delete(name);
        const reason = error instanceof Error ? error.message : String(error);
        warnings.push(`probe "${name}" failed at step ${view.step} and was switched off: ${reason}`);
      }
      values[`cost/${name}`] = (performance.now() - start) / 1000;
      const loss = values["loss/train"];
      if (loss !== undefined && !(Math.abs(loss) <= divergenceLimit)) {
        return { values, records, diverged: true, warnings };
      }
    }
    return { values, records, diverged: false, warnings };
  }
}
