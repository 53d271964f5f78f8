/** Element types as TensorProto.DataType numbers. */
import type { DataType } from "../ir/tensor.js";

const numbers: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name as DataType]));

export const onnxTypes = {
  numberOf: (type: DataType): number => numbers[type],
  nameOf: (number: number): DataType | null => names.get(number) ?? null,
};
