export { backend, selectBackend, type Backend } from "./backend.js";
export { eigh, eighInto, eigvalsh, type Eigensystem } from "./eigh.js";
export { largeArray } from "./large-array.js";
export { LinalgRangeError, LinalgTypeError } from "./errors.js";
export { lanczos, lanczosAsync, type LanczosOptions, type LanczosResult } from "./lanczos.js";
export { lanczosQuadrature, type Quadrature, type QuadratureOptions } from "./lanczos-quadrature.js";
export {
  multiply,
  multiplyInto,
  multiplySymmetric,
  multiplySymmetricInto,
  multiplySymmetricSingleInto,
  multiplyTriangular,
  multiplyTriangularInto,
  type ProductShape,
  type SymmetricProductShape,
  type TriangularProductShape,
} from "./products.js";
export { createRandom, type Random, type RandomState } from "./random.js";
