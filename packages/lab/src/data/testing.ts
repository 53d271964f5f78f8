/** Files as NumPy writes them, byte by byte after their formats: what readers are held to. */
import { deflateRawSync } from "node:zlib";

/** A `.npy` file of version 1, as NumPy writes it. */
export function npy(type: "<f4" | "<i8", shape: readonly number[], values: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = text.padEnd(118 - 1) + "\n";
  const data = Buffer.alloc(values.length * (type === "<f4" ? 4 : 8));
  values.forEach((value, i) =>
    type === "<f4" ? data.writeFloatLE(value, 4 * i) : data.writeBigInt64LE(BigInt(value), 8 * i),
  );
  return Buffer.concat([Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]), Buffer.from(header), data]);
}

/** A ZIP archive after the format's note: local headers with data, the directory, its end. Checksums are left 0. */
export function zip(files: Readonly<Record<string, Buffer>>, deflated: boolean): Buffer {
  const [local, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = deflated ? deflateRawSync(content) : content;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(name.length, 26);
    header.writeUInt16LE(4, 28); // an extra field, which readers skip
    local.push(header, Buffer.from(name), Buffer.alloc(4), data);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(deflated ? 8 : 0, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    offset += 34 + name.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, ...directory, end]);
}
