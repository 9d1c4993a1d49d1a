/** What was done how often and how fast, and what should not have happened. */
export class Tally {
  readonly faults: string[] = [];
  readonly #times = new Map<string, number[]>();
  readonly #refusals = new Map<string, number>();

  done(kind: string, milliseconds: number): void {
    const times = this.#times.get(kind) ?? [];
    times.push(milliseconds);
    this.#times.set(kind, times);
  }

  /** Something that was refused as it should be. */
  refused(kind: string, why: string): void {
    const key = `${kind}: ${why}`;
    this.#refusals.set(key, (this.#refusals.get(key) ?? 0) + 1);
  }

  /** Only the first ones are kept; a broken service would fill the memory with them. */
  fault(text: string): void {
    if (this.faults.length < 200) this.faults.push(text);
  }

  count(kind: string): number {
    return this.#times.get(kind)?.length ?? 0;
  }

  get total(): number {
    return [...this.#times.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Kind, count, median and worst in milliseconds. */
  rows(): readonly (readonly [kind: string, count: number, median: number, worst: number])[] {
    return [...this.#times].sort().map(([kind, times]) => {
      const sorted = [...times].sort((a, b) => a - b);
      return [kind, sorted.length, sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0] as const;
    });
  }

  refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }
}
