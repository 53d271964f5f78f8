/** A file of a tar archive. */
export interface TarEntry {
  /** As in the archive, folders included. */
  readonly name: string;
  readonly content: Uint8Array;
}

const blockSize = 512;
const decoder = new TextDecoder();

/**
 * The regular files of a tar archive, not compressed: POSIX ustar, or the older format. Links and extensions are passed
 * over. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 *
 * @param source  Named in errors.
 * @throws RangeError if the archive is truncated or a header's checksum is wrong.
 */
export function* readTar(bytes: Uint8Array, source: string): Generator<TarEntry> {
  for (let at = 0; at + blockSize <= bytes.length;) {
    const header = bytes.subarray(at, at + blockSize);
    if (header.every((byte) => byte === 0)) return; // two blocks of zeros end it
    const size = octal(header, 124, 12);
    if (octal(header, 148, 8) !== checksum(header))
      throw new RangeError(`${source}: damaged at byte ${at}: wrong checksum.`);
    const start = at + blockSize;
    if (start + size > bytes.length) throw new RangeError(`${source}: truncated: ends at byte ${bytes.length}.`);
    const [type, prefix] = [header[156]!, text(header, 345, 155)];
    const name = text(header, 0, 100);
    if (type === 0 || type === 0x30) {
      yield { name: prefix === "" ? name : `${prefix}/${name}`, content: bytes.subarray(start, start + size) };
    }
    at = start + Math.ceil(size / blockSize) * blockSize;
  }
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

const octal = (header: Uint8Array, start: number, length: number): number =>
  parseInt(text(header, start, length).trim() || "0", 8);

/** The sum of the header's bytes, its own field read as blanks. */
const checksum = (header: Uint8Array): number =>
  header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
