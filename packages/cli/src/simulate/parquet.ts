import type { DataTable } from "@sedge/lab/figures";
import { parquetWriteBuffer } from "hyparquet-writer";

/** A table as a Parquet file: numbers as doubles, NaN and the infinities included, text as text. */
export function tableToParquet(table: DataTable): Uint8Array {
  const columnData = Object.entries(table).map(([name, values]) => {
    const numeric = values.every((value) => typeof value === "number");
    return {
      name,
      data: numeric ? Float64Array.from(values) : [...values],
      type: numeric ? "DOUBLE" : "STRING",
    } as const;
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
