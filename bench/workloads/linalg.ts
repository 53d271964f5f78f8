import { eigh, selectBackend } from "@sedge/linalg";
import { symmetric } from "../data.js";
import type { Workload } from "../workload.js";

/** Eigenvalues and vectors of a symmetric matrix. */
export function symmetricEigenproblem(size: number, backend: "auto" | "typescript" = "auto"): Workload {
  return {
    async prepare() {
      selectBackend(backend);
      const matrix = symmetric(size);
      return { per: 1, run: () => eigh(matrix, size).values[size - 1]! };
    },
  };
}
