/** Files that together provide BLAS and LAPACK; a routine is taken from the first that has it. */
export type Candidate = readonly string[];

/** Where to look for a library, best first. Plain names are found by the system's loader. */
export function candidates(platform: string, environment: Readonly<Record<string, string | undefined>>): Candidate[] {
  const conda = environment["CONDA_PREFIX"];
  switch (platform) {
    case "darwin":
      return [
        ["/System/Library/Frameworks/Accelerate.framework/Accelerate"],
        ["/opt/homebrew/opt/openblas/lib/libopenblas.dylib"],
        ["/usr/local/opt/openblas/lib/libopenblas.dylib"],
      ];
    case "win32":
      return [["libopenblas.dll"], ["openblas.dll"], ["mkl_rt.2.dll"], ["mkl_rt.dll"]];
    default:
      return [
        ["libopenblas.so.0"],
        ["libopenblasp.so.0"], // Fedora's threaded build
        ["libopenblas.so"],
        ...(conda ? [[`${conda}/lib/libopenblas.so.0`], [`${conda}/lib/libmkl_rt.so.2`]] : []),
        ["libmkl_rt.so.2"],
        ["libmkl_rt.so.1"],
        ["libmkl_rt.so"],
        ["/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so"],
        ["liblapack.so.3", "libblas.so.3"],
        ["liblapack.so", "libblas.so"],
      ];
  }
}
