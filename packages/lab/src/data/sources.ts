/** A file on the network, and what it turns into. */
export interface SourceFile {
  readonly url: string;
  /** Hexadecimal, of the file as downloaded. */
  readonly sha256: string;
  /** Bytes of it. */
  readonly size: number;
  /** `gzip`: one packed file, named as the URL without `.gz`; `tar.gz`: an archive, of which files are kept by name. */
  readonly packing: "gzip" | "tar.gz";
}

export interface DataSource {
  readonly title: string;
  /** Who made the data, to cite. */
  readonly credit: string;
  readonly files: readonly SourceFile[];
  /** Names of the files that the data set's reader needs, once unpacked. */
  readonly unpacked: readonly string[];
}

const fashion = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com";
const cifar = "https://www.cs.toronto.edu/~kriz";
const idx = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/** What `sedge data get` knows. Digests and sizes as published with TensorFlow Datasets (url_checksums). MNIST is built in. */
export const dataSources: Readonly<Record<"fashion-mnist" | "cifar10" | "cifar100", DataSource>> = {
  "fashion-mnist": {
    title: "Fashion-MNIST: 70,000 grey images of 28 × 28, 10 classes of clothes",
    credit: "Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747; MIT licence",
    files: (
      [
        [26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"],
        [29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"],
        [4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"],
        [5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"],
      ] as const
    ).map(([size, sha256], i) => ({ url: `${fashion}/${idx[i]!}.gz`, size, sha256, packing: "gzip" })),
    unpacked: idx,
  },
  cifar10: {
    title: "CIFAR-10: 60,000 colour images of 32 × 32, 10 classes",
    credit: "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    files: [
      {
        url: `${cifar}/cifar-10-binary.tar.gz`,
        size: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        packing: "tar.gz",
      },
    ],
    unpacked: [...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), "test_batch.bin", "batches.meta.txt"],
  },
  cifar100: {
    title: "CIFAR-100: 60,000 colour images of 32 × 32, 100 classes",
    credit: "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    files: [
      {
        url: `${cifar}/cifar-100-binary.tar.gz`,
        size: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        packing: "tar.gz",
      },
    ],
    unpacked: ["train.bin", "test.bin", "fine_label_names.txt"],
  },
};
