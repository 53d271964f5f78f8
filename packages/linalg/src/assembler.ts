/** `@sedge/linalg/assembler`: inner loops as WebAssembly, assembled when first used (docs/decisions/0002). */
export * from "./kernels/assembler.js";
export { type CompiledModule, compileModule, instantiate } from "./kernels/module.js";
