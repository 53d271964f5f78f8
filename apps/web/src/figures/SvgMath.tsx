interface SvgMathProps {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
  readonly text: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly weight?: number;
}

/** Text of a figure in which `λ_max` has its index below the line. */
export function SvgMath({ x, y, fill, text, anchor = "start", weight }: SvgMathProps) {
  const [first, ...rest] = text.split("λ_max");
  return (
    <text x={x} y={y} fill={fill} text-anchor={anchor} font-weight={weight}>
      {first}
      {rest.map((part, i) => (
        <tspan key={i}>
          λ
          <tspan dy="3" font-size="0.8em">
            max
          </tspan>
          <tspan dy="-3">{part === "" ? "\u200b" : part}</tspan>
        </tspan>
      ))}
    </text>
  );
}
