import { useEffect, useRef } from "preact/hooks";
import { formatCount, formatShare, formatValue } from "../format/number.js";
import { Notice } from "../ui/Notice.js";
import type { ProbeProps } from "./probe-props.js";
import { recordAt, recordsOf, responsibleExamples, type Picture, type ResponsibleExample } from "./record-data.js";

/** The training examples that put the run at the stochastic edge, as pictures where they are images. */
export function ExamplesPanel({ records, step, status }: ProbeProps) {
  const record = recordAt(recordsOf(records, "examples", responsibleExamples), step);
  return (
    <section class="panel text-panel" aria-labelledby="title-examples" data-figure="examples">
      <h2 id="title-examples">Examples at the edge</h2>
      {record === null ? (
        status === "loading" ? (
          <p class="subtitle" role="status">
            Reading …
          </p>
        ) : (
          <Notice title="No examples have been recorded.">
            <p>A probe of the noise kernel names them, wherever K is finite.</p>
          </Notice>
        )
      ) : (
        <>
          <p class="subtitle">
            share of the Perron vector of K at step {formatCount(record.step)}; about{" "}
            {formatValue(record.effectiveExamples, 2)} of the probe’s {formatCount(record.examples)} examples carry K ={" "}
            {formatValue(record.noiseKernel, 2)}
          </p>
          <ol class="examples">
            {record.responsible.map((example) => (
              <Example key={example.index} example={example} largest={record.responsible[0]!.weight} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function Example({ example, largest }: { readonly example: ResponsibleExample; readonly largest: number }) {
  const { index, weight, label, predicted, image } = example;
  const wrong = label !== null && predicted !== null && label !== predicted;
  return (
    <li>
      {image === null ? (
        <div class="thumbnail thumbnail-none" aria-hidden="true">
          {label ?? "–"}
        </div>
      ) : (
        <Thumbnail
          picture={image}
          description={`Training example ${index}${label === null ? "" : `, class ${label}`}`}
        />
      )}
      <div class="weight-bar" aria-hidden="true">
        <span style={{ width: `${(weight / largest) * 100}%` }} />
      </div>
      <p class="example-weight">{formatShare(weight)}</p>
      <p class="example-name">
        no. {formatCount(index)}
        {label !== null && (
          <>
            <br />
            class {label}
            {predicted !== null && (
              <span data-wrong={wrong}>
                , predicted <strong>{predicted}</strong>
              </span>
            )}
          </>
        )}
      </p>
    </li>
  );
}

function Thumbnail({ picture, description }: { readonly picture: Picture; readonly description: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { width, height, channels, pixels } = picture;
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + Math.min(c, channels - 1)]!;
      image.data[4 * i + 3] = 255;
    }
    canvas.current!.getContext("2d")!.putImageData(image, 0, 0);
  }, [picture]);
  return (
    <canvas
      ref={canvas}
      class="thumbnail"
      width={picture.width}
      height={picture.height}
      role="img"
      aria-label={description}
    />
  );
}
