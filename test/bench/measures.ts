/** Times of one kind of operation, in milliseconds and in the order in which they were taken. */
export class Measures {
  readonly #rows: { readonly what: string; readonly times: number[] }[] = [];

  async take<T>(what: string, work: () => Promise<T>): Promise<T> {
    const row = this.#rows.find((one) => one.what === what) ?? { what, times: [] };
    if (!this.#rows.includes(row)) this.#rows.push(row);
    const begin = performance.now();
    const result = await work();
    row.times.push(performance.now() - begin);
    return result;
  }

  mean(what: string): number {
    const times = this.#times(what);
    return sum(times) / times.length;
  }

  /** How many times slower the last tenth of the operations is than the first. */
  growth(what: string): number {
    const times = this.#times(what);
    const tenth = Math.ceil(times.length / 10);
    return sum(times.slice(-tenth)) / sum(times.slice(0, tenth));
  }

  table(title: string): string {
    const lines = this.#rows.map(({ what, times }) => {
      const sorted = [...times].sort((a, b) => a - b);
      const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
      const cells = [times.length, sum(times), sum(times) / times.length, middle, sorted.at(-1)];
      return [what.padEnd(28), ...cells.map((cell, at) => number(cell ?? 0, at > 0))].join('');
    });
    const head = ['count', 'total ms', 'mean', 'median', 'worst'].map((one) => one.padStart(11));
    return [`${title.padEnd(28)}${head.join('')}`, ...lines].join('\n');
  }

  #times(what: string): readonly number[] {
    return this.#rows.find((one) => one.what === what)?.times ?? [];
  }
}

function number(value: number, isTime: boolean): string {
  return value.toFixed(isTime ? 1 : 0).padStart(11);
}

function sum(times: readonly number[]): number {
  return times.reduce((a, b) => a + b, 0);
}
