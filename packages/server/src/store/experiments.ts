import { asStoreError, type Database } from "./connection.js";
import { writeTransaction } from "./transaction.js";

/** A group of runs. Sedge itself groups by tags; MLflow's clients want this. */
export interface Experiment {
  readonly id: number;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly tags: Readonly<Record<string, string>>;
}

interface ExperimentRow {
  id: number;
  name: string;
  created_at: number;
  tags: string;
}

/** MLflow's experiment 0 is there from the start. */
const first: Experiment = { id: 0, name: "Default", createdAt: 0, tags: {} };

export class ExperimentTable {
  readonly #database: Database;
  readonly #folder: string;

  constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  /** In order of id. */
  all(): Experiment[] {
    return this.#guard(() => {
      const rows = this.#database.prepare("SELECT * FROM experiments WHERE id > 0 ORDER BY id").all();
      return [this.#find("id = 0", []) ?? first, ...(rows as unknown as ExperimentRow[]).map(fromRow)];
    });
  }

  get(id: number): Experiment | undefined {
    return this.#guard(() => this.#find("id = ?", [id]) ?? (id === 0 ? first : undefined));
  }

  named(name: string): Experiment | undefined {
    return this.#guard(() => this.#find("name = ?", [name]) ?? (name === first.name ? first : undefined));
  }

  /** @returns undefined where the name is taken. */
  create(name: string, tags: Readonly<Record<string, string>>, createdAt = Date.now()): Experiment | undefined {
    return this.#write(() => {
      if (name === first.name || this.#find("name = ?", [name]) !== undefined) return undefined;
      const next =
        "INSERT INTO experiments SELECT max(coalesce(max(id), 0), 0) + 1, ?, ?, ? FROM experiments RETURNING *";
      const row: unknown = this.#database.prepare(next).get(name, createdAt, JSON.stringify(tags));
      return fromRow(row as ExperimentRow);
    });
  }

  /** Adds a tag, in place of one of that key. */
  setTag(experiment: Experiment, key: string, value: string): void {
    this.#write(() => {
      const { id, name, createdAt, tags } = this.#find("id = ?", [experiment.id]) ?? experiment;
      const replace = this.#database.prepare("INSERT OR REPLACE INTO experiments VALUES (?, ?, ?, ?)");
      replace.run(id, name, createdAt, JSON.stringify({ ...tags, [key]: value }));
    });
  }

  #find(condition: string, values: readonly (string | number)[]): Experiment | undefined {
    const row: unknown = this.#database.prepare(`SELECT * FROM experiments WHERE ${condition}`).get(...values);
    return row === undefined ? undefined : fromRow(row as ExperimentRow);
  }

  #write<T>(work: () => T): T {
    return this.#guard(() => writeTransaction(this.#database, work));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStoreError(error, this.#folder);
    }
  }
}

const fromRow = ({ id, name, created_at, tags }: ExperimentRow): Experiment => ({
  id,
  name,
  createdAt: created_at,
  tags: JSON.parse(tags) as Record<string, string>,
});
