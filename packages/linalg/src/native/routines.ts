import { createRequire } from "node:module";
import type koffiModule from "koffi";
import type { Candidate } from "./candidates.js";

interface Signature {
  /** How many of the arguments are letters, and where the integers and the numbers are. */
  readonly letters: number;
  readonly integers: readonly number[];
  readonly others: readonly number[];
  readonly arguments: number;
  /** What the numbers are. Default double. */
  readonly of?: "float";
}

/**
 * The Fortran routines in use, https://netlib.org/lapack. Everything goes by address; letters are single characters whose
 * hidden lengths follow all other arguments, as gfortran expects and C implementations ignore.
 */
const ROUTINES = {
  dgemm: { letters: 2, integers: [2, 3, 4, 7, 9, 12], others: [5, 6, 8, 10, 11], arguments: 13 },
  sgemm: { letters: 2, integers: [2, 3, 4, 7, 9, 12], others: [5, 6, 8, 10, 11], arguments: 13, of: "float" },
  dgemv: { letters: 1, integers: [1, 2, 5, 7, 10], others: [3, 4, 6, 8, 9], arguments: 11 },
  dtrmm: { letters: 4, integers: [4, 5, 8, 10], others: [6, 7, 9], arguments: 11 },
  dsyevd: { letters: 2, integers: [2, 4, 7, 8, 9, 10], others: [3, 5, 6], arguments: 11 },
} as const;

type Argument = string | Int32Array | Float64Array | Float32Array;
type Routine = (...values: readonly Argument[]) => void;
export type Routines = Readonly<Record<keyof typeof ROUTINES, Routine>>;

export interface Library {
  readonly routines: Routines;
  readonly name: string;
  readonly path: string;
  readonly threads?: number;
  readonly core?: string;
}

/**
 * What a Fortran routine may be called: as compilers write it, with the suffix of 64-bit integers, and as the OpenBLAS inside the
 * Python packages of NumPy and SciPy has it, which is often newer than the system's.
 */
export const spellings = (routine: string): string[] => [
  ...[`${routine}_`, `${routine}_64_`, `scipy_${routine}_64_`, `scipy_${routine}_`],
];

/** The same of a function of OpenBLAS itself. */
const ofOpenBlas = (name: string): string[] => [name, `${name}64_`, `scipy_${name}64_`, `scipy_${name}`];

/** @throws Error, from the loader or with the name of a routine that is missing */
export function openLibrary(candidate: Candidate): Library {
  const koffi = createRequire(import.meta.url)("koffi") as typeof koffiModule;
  const handles = candidate.map((file) => koffi.load(file));
  const find = (declaration: string): ((...values: unknown[]) => unknown) | null => {
    for (const handle of handles) {
      try {
        return handle.func(declaration);
      } catch {
        // not in this file
      }
    }
    return null;
  };
  const findAny: Find = (names, result, parameters) => {
    for (const name of names) {
      const found = find(`${result} ${name}(${parameters})`);
      if (found !== null) return found;
    }
    return null;
  };

  const bind = (name: keyof typeof ROUTINES): Routine => {
    const signature: Signature = ROUTINES[name];
    const { letters, integers, others, arguments: count, of = "double" } = signature;
    const types = Array.from({ length: count }, (_, index) => {
      if (integers.includes(index)) return "int32_t *";
      return others.includes(index) ? `${of} *` : "const char *";
    });
    const lengths = Array<string>(letters).fill("size_t");
    const routine = findAny(spellings(name), "void", [...types, ...lengths].join(", "));
    if (routine === null) throw new Error(`has no ${name}_`);
    const ones = Array<number>(letters).fill(1);
    return (...values) => void routine(...values, ...ones);
  };

  const names = Object.keys(ROUTINES) as (keyof typeof ROUTINES)[];
  const routines = Object.fromEntries(names.map((name) => [name, bind(name)])) as Routines;
  return { routines, path: candidate[0]!, ...describeLibrary(findAny, candidate[0]!) };
}

type Find = (
  names: readonly string[],
  result: string,
  parameters: string,
) => ((...values: unknown[]) => unknown) | null;

/** What the library says of itself. */
function describeLibrary(find: Find, path: string): Pick<Library, "name" | "threads" | "core"> {
  const config = find(ofOpenBlas("openblas_get_config"), "const char *", "");
  if (config !== null) {
    const threads = find(ofOpenBlas("openblas_get_num_threads"), "int", "")?.();
    const core = find(ofOpenBlas("openblas_get_corename"), "const char *", "")?.();
    return {
      name: String(config()).trim(),
      ...(typeof threads === "number" ? { threads } : {}),
      ...(typeof core === "string" ? { core } : {}),
    };
  }
  const mkl = find(["MKL_Get_Version_String"], "void", "uint8_t *text, int length");
  if (mkl !== null) {
    const text = new Uint8Array(200);
    mkl(text, text.length);
    const threads = find(["MKL_Get_Max_Threads"], "int", "")?.();
    const end = text.indexOf(0);
    const name = new TextDecoder().decode(text.subarray(0, end < 0 ? undefined : end)).trim();
    return { name, ...(typeof threads === "number" ? { threads } : {}) };
  }
  if (path.includes("Accelerate")) return { name: "Apple Accelerate" };
  const version = [new Int32Array(2), new Int32Array(2), new Int32Array(2)];
  const ask = find(spellings("ilaver"), "void", "int32_t *major, int32_t *minor, int32_t *patch");
  if (ask === null) return { name: "LAPACK" };
  ask(...version);
  return { name: `LAPACK ${version.map((part) => part[0]).join(".")}` };
}
