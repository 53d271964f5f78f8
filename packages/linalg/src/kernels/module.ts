import { assembleModule, type FunctionBuilder } from "./assembler.js";

/** The part of the WebAssembly API in use: neither the ES nor the Node typings declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => CompiledModule;
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (
    module: CompiledModule,
    imports: { env: { memory: object } },
  ) => { readonly exports: Readonly<Record<string, (...values: number[]) => void>> };
};

export interface CompiledModule {
  readonly compiled: unique symbol;
}

/** A WebAssembly page. */
const PAGE_BYTES = 65536;

/** @returns null without WebAssembly, without its SIMD, or where a content security policy forbids compiling it */
export function compileModule(functions: readonly FunctionBuilder[]): CompiledModule | null {
  const bytes = assembleModule(functions);
  try {
    return new WebAssembly.Module(bytes);
  } catch {
    return null;
  }
}

/**
 * An instance with a memory of its own of at least `words` float64 numbers, all zero. The functions take addresses in bytes.
 *
 * @throws RangeError if there is not that much memory
 */
export function instantiate(
  module: CompiledModule,
  words: number,
): { readonly memory: Float64Array; readonly exports: Readonly<Record<string, (...values: number[]) => void>> } {
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((words * 8) / PAGE_BYTES)) });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory: new Float64Array(memory.buffer), exports };
}
