import { FigurePanel } from "../figures/FigurePanel.js";
import { SvgMath } from "../figures/SvgMath.js";
import { formatCount, formatShare } from "../format/number.js";
import { Notice } from "../ui/Notice.js";
import { usePage } from "../view/page.js";
import { runColours, type Theme } from "../view/palette.js";
import type { Ink } from "../charts/paint.js";
import type { ProbeProps } from "./probe-props.js";
import { attribution, recordAt, recordsOf, type LayerShare } from "./record-data.js";

/** Three shares a layer; hues of the runs' palette, which are told apart with any colour vision. */
const shares: readonly {
  readonly key: "traceShare" | "lambdaMaxShare" | "perronShare";
  readonly label: string;
  readonly title: string;
  readonly colour: (theme: Theme) => string;
}[] = [
  { key: "perronShare", label: "K", title: "Perron energy: share of K", colour: (theme) => runColours[theme][0]! },
  { key: "lambdaMaxShare", label: "λ_max", title: "share of λ_max", colour: (theme) => runColours[theme][4]! },
  { key: "traceShare", label: "trace", title: "share of the trace", colour: (theme) => runColours[theme][2]! },
];
const barHeight = 9;
const [headHeight, footHeight, layerHeight] = [44, 40, 46];

/** Which layers make the two edges. */
export function AttributionPanel({ records, step, status }: ProbeProps) {
  const page = usePage();
  const record = recordAt(recordsOf(records, "attribution", attribution), step);
  const theme = page.theme.value;
  return (
    <FigurePanel
      id="attribution"
      title="Layers"
      subtitle={record === null ? "which layers make the edges" : `shares at step ${formatCount(record.step)}`}
      csv={() => csvOf(record?.layers ?? [])}
      draw={(width, ink) =>
        record === null ? (
          status === "loading" ? (
            <div class="skeleton figure-empty" role="status" aria-label="Reading" />
          ) : (
            <Notice title="No attribution has been recorded.">
              <p>The probe of the noise kernel records it, for runs that Sedge trains.</p>
            </Notice>
          )
        ) : (
          <Bars layers={record.layers} width={width} ink={ink} theme={theme} />
        )
      }
    >
      {record !== null && <LayerTable layers={record.layers} />}
    </FigurePanel>
  );
}

interface BarsProps {
  readonly layers: readonly LayerShare[];
  readonly width: number;
  readonly ink: Ink;
  readonly theme: Theme;
}

function Bars({ layers, width, ink, theme }: BarsProps) {
  const height = headHeight + layers.length * layerHeight + footHeight;
  const left = Math.min(150, width * 0.32);
  const length = width - left - 56;
  const bottom = height - footHeight;
  return (
    <svg width={width} height={height} role="img" aria-label="Bars: each layer's share of K, λ_max and the trace">
      {shares.map(({ label, colour }, i) => (
        <g key={label} transform={`translate(${left + i * 74} 14)`}>
          <rect width="11" height="11" y="-9" rx="2" fill={colour(theme)} />
          <SvgMath x={16} y={0} fill={ink.text} text={label} />
        </g>
      ))}
      {[0, 0.25, 0.5, 0.75, 1].map((share) => (
        <g key={share}>
          <line
            x1={left + share * length}
            x2={left + share * length}
            y1={headHeight - 16}
            y2={bottom}
            stroke={ink.grid}
          />
          <text x={left + share * length} y={bottom + 14} fill={ink.muted} text-anchor="middle">
            {share * 100}
          </text>
        </g>
      ))}
      <text x={left + length / 2} y={bottom + 32} fill={ink.muted} text-anchor="middle">
        share of all layers (%)
      </text>
      {layers.map((layer, row) => {
        const top = headHeight - 8 + row * layerHeight;
        return (
          <g key={layer.name}>
            <text x={left - 10} y={top + 14} fill={ink.text} text-anchor="end" font-weight="600">
              {shortened(layer.name, left)}
            </text>
            <text x={left - 10} y={top + 28} fill={ink.muted} text-anchor="end">
              {layer.kind === "" ? "" : `${layer.kind}, `}
              {formatCount(layer.size)}
            </text>
            {shares.map(({ key, title, colour }, i) => {
              const value = layer[key];
              const y = top + i * (barHeight + 3);
              return (
                <g key={key}>
                  <title>
                    {layer.name}: {title} {formatShare(value)}
                  </title>
                  <rect
                    x={left}
                    y={y}
                    width={Math.max(1, (value > 0 ? value : 0) * length)}
                    height={barHeight}
                    rx="2"
                    fill={colour(theme)}
                  />
                  <text x={left + (value > 0 ? value : 0) * length + 6} y={y + barHeight - 0.5} fill={ink.muted}>
                    {Number.isNaN(value) ? "not measured" : formatShare(value)}
                  </text>
                </g>
              );
            })}
          </g>
        );
      })}
    </svg>
  );
}

const shortened = (name: string, width: number) => {
  const most = Math.floor(width / 7);
  return name.length <= most ? name : `…${name.slice(1 - most)}`;
};

function LayerTable({ layers }: { readonly layers: readonly LayerShare[] }) {
  // A table would not shrink to nothing: what is around it does.
  return (
    <div class="visually-hidden">
      <table>
        <caption>Shares of the layers</caption>
        <thead>
          <tr>
            <th scope="col">layer</th>
            {shares.map(({ key, title }) => (
              <th scope="col" key={key}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {layers.map((layer) => (
            <tr key={layer.name}>
              <th scope="row">{layer.name}</th>
              {shares.map(({ key }) => (
                <td key={key}>{formatShare(layer[key])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function csvOf(layers: readonly LayerShare[]): string {
  const rows = layers.map(({ name, kind, size, traceShare, lambdaMaxShare, perronShare }) =>
    [`"${name.replaceAll('"', '""')}"`, kind, size, traceShare, lambdaMaxShare, perronShare].join(","),
  );
  return ["layer,kind,parameters,trace_share,lambda_max_share,perron_share", ...rows, ""].join("\r\n");
}
