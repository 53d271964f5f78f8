/** A field of a protobuf message as it lies on the wire: https://protobuf.dev/programming-guides/encoding/ */
export interface WireField {
  readonly number: number;
  /** Of wire type 0. Integers beyond 2⁵³ lose their last bits, which no step or enum of ours has. */
  readonly integer?: number;
  /** Of wire types 1, 2 and 5: eight, any number of, and four bytes. */
  readonly bytes?: Uint8Array;
}

/** @throws RangeError where the message breaks off or is none */
export function* wireFields(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("protobuf: a number breaks off");
  };
  const take = (count: number): Uint8Array => {
    if (count > message.length - at) throw new RangeError("protobuf: a field breaks off");
    return message.subarray(at, (at += count));
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, integer: varint() };
        break;
      case 1:
        yield { number, bytes: take(8) };
        break;
      case 2:
        yield { number, bytes: take(varint()) };
        break;
      case 5:
        yield { number, bytes: take(4) };
        break;
      default:
        throw new RangeError(`protobuf: unknown wire type ${tag % 8}`);
    }
  }
}

export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
