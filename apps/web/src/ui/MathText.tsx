/** Text in which λ_max has its index below the line. */
export function MathText({ text }: { readonly text: string }) {
  const [first, ...rest] = text.split("λ_max");
  return (
    <>
      {first}
      {rest.map((part, i) => (
        <span key={i}>
          λ<sub>max</sub>
          {part}
        </span>
      ))}
    </>
  );
}
