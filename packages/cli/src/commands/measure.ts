import { join } from "node:path";
import { BadInput, type Loss } from "@sedge/lab";
import type { OptimizerRequest } from "@sedge/lab/measure";
import { samplings, type Sampling } from "@sedge/theory";
import { Option, type Command } from "commander";
import { exitCodes } from "../exit-codes.js";
import type { Io } from "../io.js";
import { measurePage } from "../measure/measure-page.js";
import { optimizerOf, optimizers, type OptimizerFlags } from "../measure/optimizer-flags.js";
import { imageSizeOf, numberList } from "../measure/image-flags.js";
import { formatDuration } from "../output/format.js";
import { toJson } from "../output/json.js";
import { prepareOutputFolder } from "../output/output-folder.js";
import { taskProgress } from "../output/task-progress.js";
import { parseNumber, parseWholeNumber } from "../parse-number.js";
import type { Finish } from "../program.js";

interface MeasureFlags extends OptimizerFlags {
  readonly data: string;
  readonly targets?: string;
  readonly split: "train" | "test";
  readonly weights?: string;
  readonly output?: string;
  readonly readHalf?: boolean;
  readonly evaluationMode?: boolean;
  readonly loss?: string;
  readonly batchSize: string;
  readonly population?: string;
  readonly sampling: Sampling;
  readonly examples: string;
  readonly first?: string;
  readonly curvatureExamples: string;
  readonly spectrumProbes: string;
  readonly spectrumIterations: string;
  readonly imageSize?: string;
  readonly mean?: string;
  readonly deviation?: string;
  readonly skipBroken?: boolean;
  readonly top: string;
  readonly seed: string;
  readonly threads: string;
  readonly memory: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** `sedge measure MODEL.onnx --data …`: both edges of one model at its present weights, and what to do. */
export function defineMeasure(command: Command, io: Io, finish: Finish): void {
  command
    .argument("<model>", "an ONNX file, as torch.onnx.export writes it after model.eval()")
    .requiredOption("--data <path>", "mnist | .npy | .npz | IDX | CIFAR .bin, or their folder | folders of images")
    .requiredOption("--learning-rate <number>", "η of the optimiser, in units of one over curvature")
    .requiredOption("--batch-size <number>", "B, examples")
    .option("--targets <file>", "labels or values: .npy with .npy or .npz of inputs, IDX beside other names")
    .addOption(new Option("--split <name>", "which files of a folder").choices(["train", "test"]).default("train"))
    .option("--weights <file>", "a safetensors checkpoint with the model's parameters, by their names in it")
    .option("--loss <name>", "squared | mean-squared | cross-entropy | an ONNX file (default: by the targets)")
    .addOption(new Option("--optimizer <name>", "what trains it").choices([...optimizers]).default("sgd"))
    .option("--momentum <number>", "m in [0, 1): of momentum and nesterov (default 0.9), of rmsprop (default 0)")
    .option("--beta1 <number>", "of adam and adamw (default 0.9)")
    .option("--beta2 <number>", "of adam and adamw (default 0.999)")
    .option("--epsilon <number>", "of adam, adamw and rmsprop (default 1e-8)")
    .option("--weight-decay <number>", "δ: decoupled of adamw, L2 of the others")
    .addOption(new Option("--sampling <name>", "of minibatches").choices([...samplings]).default("without-replacement"))
    .option("--population <number>", "N of the run (default: as many examples as the data have)")
    .option("--first <number>", "draw from the first so many examples only: those that the run trains on")
    .option("--examples <number>", "n, the random examples that K is measured on", "64")
    .option("--curvature-examples <number>", "those that λ_max and the spectrum are measured on", "128")
    .option("--spectrum-probes <number>", "random vectors for the spectrum", "6")
    .option("--spectrum-iterations <number>", "products for each of them", "25")
    .option("--image-size <side|height,width>", "of folders of images, where the model takes any size")
    .option("--mean <a,b,c>", "of each channel, white being 1 (default: usual for the data)")
    .option("--deviation <a,b,c>", "standard deviation of each channel (default: usual for the data)")
    .option("--skip-broken", "go on without images that cannot be read")
    .option("--output <name>", "which output of the model, where it has several")
    .option("--read-half", "read float16 and bfloat16 weights as float32")
    .option("--evaluation-mode", "read training-mode normalisation and dropout as in evaluation")
    .option("--top <number>", "how many of the examples nearest the edge", "12")
    .option("--seed <number>", "of the examples drawn and of random vectors", "0")
    .option("--threads <number>", "of ONNX Runtime", "1")
    .option("--memory <gigabytes>", "that one computation may take, besides data and weights", "2")
    .option("--out <folder>", "write measure.html, self-contained, and measure.json there")
    .option("--json", "print JSON")
    .addHelpText("after", helpText)
    .action(async (path: string, flags: MeasureFlags) => {
      const asked = readFlags(flags);
      if (flags.out !== undefined) prepareOutputFolder(flags.out);
      const { lossFromOnnx, measure, modelFromOnnx, readProbeData, writeMeasurement } =
        await import("@sedge/lab/measure");
      const begun = performance.now();
      const progress = taskProgress(io);
      const signal = io.interrupted;
      try {
        progress.update({ label: "reading", done: 0, total: 100 });
        const file = modelFromOnnx(path, flags);
        const data = await readProbeData({
          ...{ path: flags.data, targets: flags.targets, split: flags.split },
          ...{ imageSize: asked.imageSize ?? imageSizeOf(file.input.shape), mostImages: asked.curvatureExamples },
          ...{ seed: asked.seed, skipBroken: flags.skipBroken === true, signal },
          onProgress: ({ done, total }) =>
            progress.update({ label: "reading images", done: (5 * done) / total, total: 100 }),
        });
        const hasLabels = data.kind === "images" || data.targets.shape.length <= file.output.shape.length;
        const loss = namedLoss(flags.loss ?? (hasLabels ? "cross-entropy" : "squared"));
        const measurement = await measure({
          ...{ path, file, data, loss: loss ?? lossFromOnnx(flags.loss!), ...asked, signal },
          keep: flags.out && join(flags.out, keptName),
          onProgress: (update) => progress.update(update),
        });
        progress.stop();
        if (measurement.resumed.length > 0) {
          io.note(`Taken from an earlier measurement that was broken off: ${measurement.resumed.join(", ")}.`);
        }
        const paths = flags.out === undefined ? [] : await writeMeasurement(measurement, flags.out);
        io.print(flags.json ? toJson(measurement.report) : measurePage(measurement.report, io.colours));
        for (const written of paths) {
          if (flags.json) io.note(written);
          else io.print(written);
        }
        io.note(`Done in ${formatDuration((performance.now() - begun) / 1000)}.`);
      } catch (error) {
        if (!signal.aborted) throw error;
        io.note(
          flags.out === undefined
            ? "Interrupted. Nothing was kept; with --out, finished parts are, and the same command goes on from there."
            : `Interrupted. Finished parts are in ${flags.out}; the same command goes on from there.`,
        );
        finish(exitCodes.interrupted);
      } finally {
        progress.stop();
      }
    });
}

/** In the folder of --out, until the report is there. */
const keptName = "measure.unfinished";

/** Undefined for what must be a file. */
function namedLoss(name: string): Loss | undefined {
  const known = ["squared", "mean-squared", "cross-entropy"] as const;
  const found = known.find((one) => one === name);
  if (found !== undefined || name.endsWith(".onnx")) return found;
  throw new BadInput(`--loss: expected ${known.join(", ")} or an ONNX file, got ${JSON.stringify(name)}.`);
}

function readFlags(flags: MeasureFlags) {
  const optimizer: OptimizerRequest = optimizerOf(flags);
  const gigabytes = parseNumber("--memory", flags.memory, (x) => x > 0 && x <= 1024, "a number of gigabytes above 0");
  const curvatureExamples = parseWholeNumber("--curvature-examples", flags.curvatureExamples, 2, 1e7);
  const examples = parseWholeNumber("--examples", flags.examples, 2, 4096);
  const normalisation = {
    ...(flags.mean !== undefined && { mean: numberList("--mean", flags.mean, Number.isFinite, "numbers") }),
    ...(flags.deviation !== undefined && {
      deviation: numberList("--deviation", flags.deviation, (x) => x > 0, "numbers above 0"),
    }),
  };
  if (flags.data === "mnist" && flags.targets !== undefined) {
    throw new BadInput(`--targets: mnist has its own labels, got ${JSON.stringify(flags.targets)}.`);
  }
  return {
    ...{ optimizer, examples, curvatureExamples: Math.max(examples, curvatureExamples), normalisation },
    batchSize: parseWholeNumber("--batch-size", flags.batchSize, 1),
    population: flags.population === undefined ? undefined : parseWholeNumber("--population", flags.population, 2),
    first: flags.first === undefined ? undefined : parseWholeNumber("--first", flags.first, 2),
    sampling: flags.sampling,
    spectrum: {
      probes: parseWholeNumber("--spectrum-probes", flags.spectrumProbes, 2, 1000),
      iterations: parseWholeNumber("--spectrum-iterations", flags.spectrumIterations, 2, 1000),
    },
    imageSize:
      flags.imageSize === undefined
        ? null
        : imageSizeOf(
            numberList(
              "--image-size",
              flags.imageSize,
              (x) => Number.isInteger(x) && x > 0,
              "a side, or height,width in pixels",
            ),
          ),
    topExamples: parseWholeNumber("--top", flags.top, 0, 1000),
    seed: parseWholeNumber("--seed", flags.seed),
    threads: parseWholeNumber("--threads", flags.threads, 1, 1024),
    memoryBudget: gigabytes * 2 ** 30,
  };
}

const helpText = `
Export from PyTorch after model.eval() with a free batch axis. Adaptive optimisers (adam, adamw, rmsprop) precondition
the curvature; their running mean of squared gradients is estimated at the present weights.

Examples:
  sedge measure mlp.onnx --data mnist --learning-rate 0.01 --batch-size 8
  sedge measure resnet.onnx --data cifar-10-batches-bin --learning-rate 0.05 --batch-size 128 --optimizer momentum --out report
  sedge measure net.onnx --data x.npy --targets y.npy --learning-rate 1e-3 --batch-size 32 --optimizer adamw --json
  sedge measure bert.onnx --data encoded.npz --learning-rate 5e-5 --batch-size 16 --optimizer adamw --weight-decay 0.01`;
