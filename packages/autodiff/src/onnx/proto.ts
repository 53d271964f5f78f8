/** The ONNX messages Sedge reads and writes; field numbers from onnx.proto3. Embedded, so nothing is read at run time. */
import protobuf from "protobufjs";

const schema = `
syntax = "proto3";
package onnx;

message ModelProto {
  int64 ir_version = 1;
  string producer_name = 2;
  string producer_version = 3;
  GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated FunctionProto functions = 25;
}
message OperatorSetIdProto {
  string domain = 1;
  int64 version = 2;
}
message FunctionProto {
  string name = 1;
  repeated string input = 4;
  repeated string output = 5;
  repeated string attribute = 6;
  repeated NodeProto node = 7;
  repeated OperatorSetIdProto opset_import = 9;
  string domain = 10;
  repeated AttributeProto attribute_proto = 11;
  string overload = 13;
}
message GraphProto {
  repeated NodeProto node = 1;
  string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
  repeated ValueInfoProto value_info = 13;
  repeated SparseTensorProto sparse_initializer = 15;
}
message SparseTensorProto {
  TensorProto values = 1;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  string name = 3;
  string op_type = 4;
  repeated AttributeProto attribute = 5;
  string domain = 7;
  string overload = 8;
  repeated StringStringEntryProto metadata_props = 9;
}
message AttributeProto {
  string name = 1;
  float f = 2;
  int64 i = 3;
  bytes s = 4;
  TensorProto t = 5;
  GraphProto g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  repeated bytes strings = 9;
  int32 type = 20;
  string ref_attr_name = 21;
}
message TensorProto {
  repeated int64 dims = 1;
  int32 data_type = 2;
  repeated float float_data = 4 [packed = true];
  repeated int32 int32_data = 5 [packed = true];
  repeated int64 int64_data = 7 [packed = true];
  string name = 8;
  bytes raw_data = 9;
  repeated double double_data = 10 [packed = true];
  repeated uint64 uint64_data = 11 [packed = true];
  repeated StringStringEntryProto external_data = 13;
  int32 data_location = 14;
}
message StringStringEntryProto {
  string key = 1;
  string value = 2;
}
message ValueInfoProto {
  string name = 1;
  TypeProto type = 2;
  repeated StringStringEntryProto metadata_props = 4;
}
message TypeProto {
  message Tensor {
    int32 elem_type = 1;
    TensorShapeProto shape = 2;
  }
  Tensor tensor_type = 1;
}
message TensorShapeProto {
  message Dimension {
    int64 dim_value = 1;
    string dim_param = 2;
  }
  repeated Dimension dim = 1;
}
`;

const root = protobuf.parse(schema, { keepCase: true }).root.resolveAll();
const modelType = root.lookupType("onnx.ModelProto");

/** The messages as plain objects. Fields that are not set are absent; int64 are numbers. */
export interface ModelProto {
  ir_version: number;
  producer_name?: string;
  producer_version?: string;
  graph: GraphProto;
  opset_import: { domain?: string; version: number }[];
  functions?: FunctionProto[];
}
export interface FunctionProto {
  name: string;
  domain?: string;
  overload?: string;
  input?: string[];
  output?: string[];
  /** Names of attributes without a default. */
  attribute?: string[];
  /** Attributes with a default. */
  attribute_proto?: AttributeProto[];
  node?: NodeProto[];
  opset_import?: { domain?: string; version: number }[];
}
export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  value_info?: ValueInfoProto[];
  sparse_initializer?: { values?: TensorProto }[];
}
export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  op_type: string;
  attribute?: AttributeProto[];
  domain?: string;
  overload?: string;
  metadata_props?: { key: string; value: string }[];
}
export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
  /** Inside a function: the attribute of the call whose value this one takes. */
  ref_attr_name?: string;
}
export interface TensorProto {
  dims?: number[];
  data_type: number;
  name?: string;
  raw_data?: Uint8Array;
  float_data?: number[];
  int32_data?: number[];
  int64_data?: number[];
  double_data?: number[];
  uint64_data?: number[];
  external_data?: { key: string; value: string }[];
  data_location?: number;
}
export interface ValueInfoProto {
  name: string;
  metadata_props?: { key: string; value: string }[];
  type?: { tensor_type?: { elem_type: number; shape?: { dim?: { dim_value?: number; dim_param?: string }[] } } };
}

/** AttributeProto.AttributeType */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/**
 * The bytes of a model. Written from the schema field by field: protobufjs would compile an encoder from source text, which a
 * page's content security policy forbids.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const writer = protobuf.Writer.create();
  writeMessage(writer, modelType, model as unknown as Message);
  return writer.finish();
}

type Message = Readonly<Record<string, unknown>>;
type Scalar = "int32" | "int64" | "uint64" | "float" | "double" | "string" | "bytes";

function writeMessage(writer: protobuf.Writer, type: protobuf.Type, message: Message): void {
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined || isDefault(value)) continue;
    writeField(writer, field, field.repeated ? (value as ArrayLike<unknown>) : [value]);
  }
}

/** What a reader takes for granted is left out: zero, no text, no bytes, an empty list. */
const isDefault = (value: unknown): boolean =>
  Object.is(value, 0) || (typeof value !== "number" && (value as ArrayLike<unknown>).length === 0);

/** https://protobuf.dev/programming-guides/encoding: a tag of number and wire type, then the value. */
function writeField(writer: protobuf.Writer, field: protobuf.Field, values: ArrayLike<unknown>): void {
  const lengthDelimited = (field.id << 3) | 2;
  const scalar = field.type as Scalar;
  const writeScalar = (value: unknown) =>
    void (writer[scalar] as (value: unknown) => protobuf.Writer).call(writer, value);
  if (field.repeated && field.packed && scalar in protobuf.types.packed) {
    writer.uint32(lengthDelimited).fork();
    for (let i = 0; i < values.length; i++) writeScalar(values[i]);
    writer.ldelim();
    return;
  }
  for (let i = 0; i < values.length; i++) {
    if (field.resolvedType instanceof protobuf.Type) {
      writer.uint32(lengthDelimited).fork();
      writeMessage(writer, field.resolvedType, values[i] as Message);
      writer.ldelim();
    } else {
      writer.uint32((field.id << 3) | protobuf.types.basic[scalar]);
      writeScalar(values[i]);
    }
  }
}

/** @throws an error of protobufjs if the bytes are not a message of this kind. */
export const decodeModel = (bytes: Uint8Array): ModelProto =>
  modelType.toObject(modelType.decode(bytes), { longs: Number, arrays: false, objects: false }) as ModelProto;
