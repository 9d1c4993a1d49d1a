/**
 * Where a certificate can be seen: in the file, of which the service shows what it finds at a handshake; in the
 * memory of the manager; and in the copy of the service, which follows the manager by its signals.
 */
export type View = 'file' | 'manager' | 'service';

/** What somebody put in a place, or took out of it. */
export interface Write {
  /** Fingerprint of what was put there; `undefined` when the place was emptied. */
  readonly value: string | undefined;
  /** Milliseconds of one clock for the whole run. */
  readonly began: number;
  /** When it was acknowledged; never, for one whose caller was told nothing. */
  ended: number;
  /** A refusal: nothing may have changed. */
  refused: boolean;
  /** Who answered; a change that the manager answered reaches the service a little later. */
  readonly by: View;
}

export interface Read {
  readonly view: View;
  readonly value: string | undefined;
  readonly began: number;
  readonly ended: number;
}

interface Claim {
  readonly view: View;
  readonly state: 'empty' | 'full';
  readonly began: number;
  readonly ended: number;
}

/**
 * Everything that happened to one place for a certificate, as its clients saw it. Every content is put
 * there once, so a read tells which write it saw.
 */
export class History {
  readonly name: string;
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  readonly #claims: Claim[] = [];

  constructor(name: string, initial: string | undefined) {
    this.name = name;
    this.writes.push({ value: initial, began: -1, ended: -1, refused: false, by: 'service' });
  }

  /** A write that is on its way; it may be seen from now on. */
  begin(by: View, value: string | undefined, began: number): Write {
    const write: Write = { value, began, ended: Number.POSITIVE_INFINITY, refused: false, by };
    this.writes.push(write);
    return write;
  }

  read(view: View, value: string | undefined, began: number, ended: number): void {
    this.reads.push({ view, value, began, ended });
  }

  /** A refusal says that the place was empty, or full, at some moment between these. */
  claim(view: View, state: Claim['state'], began: number, ended: number): void {
    this.#claims.push({ view, state, began, ended });
  }

  /**
   * Every read that no order of the writes explains: of what was never put there, of what was put there
   * only later, of what another write had replaced before, and of what an earlier reader saw replaced.
   * And every refusal for a state in which the place cannot have been.
   */
  contradictions(): readonly string[] {
    return (['file', 'manager', 'service'] as const).flatMap((view) =>
      this.#contradictionsOf(view),
    );
  }

  #contradictionsOf(view: View): readonly string[] {
    const reads = this.reads.filter((read) => read.view === view);
    const claims = this.#claims.filter((claim) => claim.view === view);
    const all = this.#effective(view, reads);
    const isOver = followers(all);
    const byValue = new Map<string | undefined, Write[]>();
    for (const write of all) byValue.set(write.value, [...(byValue.get(write.value) ?? []), write]);
    const stale = reads.flatMap((read) => {
      const sources = (byValue.get(read.value) ?? []).filter(({ began }) => began <= read.ended);
      if (sources.length === 0) return [`${this.name}: ${describe(read)} was never put there`];
      if (sources.some((write) => !isOver(write, read.began))) return [];
      return [`${this.name}: ${describe(read)} had been replaced before the read began`];
    });
    const untrue = claims.flatMap(({ state, began, ended }) => {
      const explained = all.some((write) => {
        const fits = (write.value === undefined) === (state === 'empty');
        return fits && write.began <= ended && !isOver(write, began);
      });
      if (explained) return [];
      const when = `from ${began.toFixed(0)} to ${ended.toFixed(0)} ms`;
      return [`${this.name}: it cannot have been ${state} ${when}`];
    });
    return [...stale, ...untrue, ...this.#relapses(reads)];
  }

  /** A refused write did nothing, and one that a reader saw was done by the end of that read. */
  #effective(view: View, reads: readonly Read[]): readonly Write[] {
    const firstSeen = new Map<string, number>();
    for (const { value, ended } of reads) {
      if (value === undefined) continue;
      firstSeen.set(value, Math.min(ended, firstSeen.get(value) ?? Number.POSITIVE_INFINITY));
    }
    return this.writes
      .filter(({ refused }) => !refused)
      .map((write) => {
        const seen = write.value === undefined ? undefined : firstSeen.get(write.value);
        const isTold = view !== 'service' || write.by === 'service';
        const told = isTold ? write.ended : Number.POSITIVE_INFINITY;
        return { ...write, ended: Math.min(told, seen ?? Number.POSITIVE_INFINITY) };
      });
  }

  /** Of three reads one after the other, the last must not see again what the second saw replaced. */
  #relapses(reads: readonly Read[]): readonly string[] {
    const spans = new Map<string, { from: number; to: number }>();
    for (const { value, began, ended } of reads) {
      if (value === undefined) continue;
      const span = spans.get(value) ?? { from: ended, to: began };
      spans.set(value, { from: Math.min(span.from, ended), to: Math.max(span.to, began) });
    }
    const wide = [...spans].filter(([, { from, to }]) => from < to);
    const byBegin = [...reads].sort((a, b) => a.began - b.began);
    return wide.flatMap(([value, { from, to }]) => {
      const first = lowerBound(byBegin, from);
      for (let at = first; at < byBegin.length; at += 1) {
        const read = byBegin[at];
        if (!read || read.began >= to) return [];
        if (read.value !== value && read.began > from && read.ended < to) {
          return [`${this.name}: ${value} was there again after ${describe(read)}`];
        }
      }
      return [];
    });
  }
}

/** Answers whether a write that surely came after one was surely done before a moment. */
function followers(all: readonly Write[]): (write: Write, moment: number) => boolean {
  const byBegin = [...all].sort((a, b) => a.began - b.began);
  const begins = byBegin.map(({ began }) => ({ began: -began })).reverse();
  // The earliest end of all writes that begin at this one or later
  const earliest: number[] = [];
  let end = Number.POSITIVE_INFINITY;
  for (const { ended } of [...byBegin].reverse()) {
    end = Math.min(end, ended);
    earliest.push(end);
  }
  return (write, moment) => {
    // Reversed, so that those that begin later come first
    const count = lowerBound(begins, -write.ended);
    return count > 0 && (earliest[count - 1] ?? Number.POSITIVE_INFINITY) < moment;
  };
}

/** How many begin before a moment. */
function lowerBound(reads: readonly { readonly began: number }[], began: number): number {
  let low = 0;
  let high = reads.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((reads[middle]?.began ?? 0) < began) low = middle + 1;
    else high = middle;
  }
  return low;
}

function describe({ value, began, ended }: Read): string {
  return `${value ?? 'nothing'}, read from ${began.toFixed(0)} to ${ended.toFixed(0)} ms,`;
}
