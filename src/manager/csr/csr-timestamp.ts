import { writeFileAtomic } from '../../storage/atomic-file.ts';
import { ownerOnly } from '../../storage/file-mode.ts';

/** When a request was made, and after how many others: no clock that is set changes their order. */
export interface CsrTimestamp {
  readonly created: Date;
  readonly number: number;
  /** The request, where the key had another one before: both change at once, or not at all. */
  readonly renewal?: string;
}

/** What does not say when it was made is as old as can be, and of an age that nobody knows. */
export function readCsrTimestamp(text: string): CsrTimestamp {
  const [line = '', ...rest] = text.split('\n');
  const [time = '', number = '0'] = line.trim().split(' ');
  const milliseconds = Date.parse(time);
  const renewal = rest.join('\n');
  return {
    created: new Date(Number.isNaN(milliseconds) ? 0 : milliseconds),
    number: Number.parseInt(number, 10) || 0,
    ...(renewal.startsWith('-----BEGIN ') && { renewal }),
  };
}

export async function writeCsrTimestamp(
  path: string,
  { created, number, renewal = '' }: CsrTimestamp,
): Promise<void> {
  await writeFileAtomic(path, `${created.toISOString()} ${number}\n${renewal}`, ownerOnly);
}

export function inOrder(a: CsrTimestamp, b: CsrTimestamp): number {
  return a.number - b.number;
}

/** What was made since the start, by id: it comes after all from before, and its time moves with the clock. */
export class CsrSequence {
  readonly #byId = new Map<string, { made: CsrTimestamp; isWritten: boolean }>();
  #lastNumber = 0;

  get(id: string): CsrTimestamp | undefined {
    return this.#byId.get(id)?.made;
  }

  /** @param others what can be read of those that are there */
  next(created: Date, others: readonly CsrTimestamp[]): CsrTimestamp {
    this.#lastNumber = Math.max(this.#lastNumber, ...others.map(({ number }) => number)) + 1;
    return { created, number: this.#lastNumber };
  }

  /** It is on the disk as it is. */
  note(id: string, made: CsrTimestamp): void {
    this.#byId.delete(id);
    this.#byId.set(id, { made, isWritten: true });
  }

  forget(id: string): void {
    this.#byId.delete(id);
  }

  moveTimes(by: number): void {
    this.#change((made) => ({ ...made, created: new Date(made.created.getTime() + by) }));
  }

  /** Gives all a higher number where one from before has it, which nobody could read when they got theirs. */
  comeAfter(before: readonly CsrTimestamp[]): void {
    const highest = Math.max(0, ...before.map(({ number }) => number));
    const lowest = Math.min(...[...this.#byId.values()].map(({ made }) => made.number));
    if (lowest > highest) return;
    const by = highest + 1 - lowest;
    this.#lastNumber += by;
    this.#change((made) => ({ ...made, number: made.number + by }));
  }

  /** @param pathOf where one says when it was made; `undefined` where it cannot be written */
  async write(pathOf: (id: string) => string | undefined): Promise<void> {
    // The newest first, so that a cut never leaves it with a lower number than an older one
    for (const [id, one] of [...this.#byId].reverse()) {
      const path = pathOf(id);
      if (one.isWritten || path === undefined) continue;
      const { made } = one;
      const isWritten = await writeCsrTimestamp(path, made).then(
        () => true,
        // It may be written at the next look
        () => false,
      );
      if (one.made === made) one.isWritten = isWritten;
    }
  }

  #change(how: (made: CsrTimestamp) => CsrTimestamp): void {
    for (const one of this.#byId.values()) {
      one.made = how(one.made);
      one.isWritten = false;
    }
  }
}
