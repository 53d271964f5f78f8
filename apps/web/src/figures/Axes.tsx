import { mapping, type Ink } from "../charts/paint.js";
import { project, ticks, type Domain, type Scale } from "../charts/scale.js";
import { formatTick } from "../format/number.js";
import { SvgMath } from "./SvgMath.js";

/** Where a figure's plotting area lies, in CSS pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface AxisSpec {
  readonly scale: Scale;
  readonly domain: Domain;
  /** With the unit. */
  readonly label: string;
  /** Where the round values of the scale say too little. */
  readonly ticks?: readonly number[];
}

/** From values to pixels; NaN where the scale has no place. */
export function pixels(frame: Frame, x: AxisSpec, y: AxisSpec) {
  const toX = mapping(x.domain, x.scale, frame.left, frame.width);
  const toY = mapping(y.domain, y.scale, frame.top + frame.height, -frame.height);
  return {
    x: (value: number) => toX.offset + toX.factor * project(x.scale, value),
    y: (value: number) => toY.offset + toY.factor * project(y.scale, value),
  };
}

/** Grid, ticks and labels of both axes. */
export function Axes({ frame, x, y, ink }: { frame: Frame; x: AxisSpec; y: AxisSpec; ink: Ink }) {
  const at = pixels(frame, x, y);
  const bottom = frame.top + frame.height;
  const right = frame.left + frame.width;
  const xTicks = x.ticks ?? ticks(x.scale, x.domain, Math.max(2, frame.width / 84));
  const yTicks = y.ticks ?? ticks(y.scale, y.domain, Math.max(2, frame.height / 36));
  return (
    <g aria-hidden="true">
      {xTicks.map((value) => (
        <g key={value}>
          <line x1={at.x(value)} x2={at.x(value)} y1={frame.top} y2={bottom} stroke={ink.grid} />
          <text x={at.x(value)} y={bottom + 15} fill={ink.muted} text-anchor="middle">
            {formatTick(value)}
          </text>
        </g>
      ))}
      {yTicks.map((value) => (
        <g key={value}>
          <line x1={frame.left} x2={right} y1={at.y(value)} y2={at.y(value)} stroke={ink.grid} />
          <text x={frame.left - 6} y={at.y(value) + 4} fill={ink.muted} text-anchor="end">
            {formatTick(value)}
          </text>
        </g>
      ))}
      <SvgMath x={0} y={frame.top - 10} fill={ink.muted} text={y.label} />
      <SvgMath x={frame.left + frame.width / 2} y={bottom + 33} fill={ink.muted} anchor="middle" text={x.label} />
    </g>
  );
}
