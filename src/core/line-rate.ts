export interface LineRateLimits {
  /** Lines of one kind in a period. */
  readonly lines: number;
  /** Milliseconds of a period. */
  readonly period: number;
  /** Kinds that are counted at a time; the oldest gives way. */
  readonly kinds: number;
}

/** What becomes of a line: `last` is the last one of its kind in this period. */
export type LineVerdict =
  | { readonly kind: 'written' | 'last'; readonly leftOut: number }
  | { readonly kind: 'left-out' };

interface Count {
  readonly began: number;
  lines: number;
  leftOut: number;
}

/**
 * Bounds how often lines of one kind are written, so that whoever can cause one cannot fill a disk with
 * it. `leftOut` is how many of a kind were not written since the last one that was.
 * @param now a clock in milliseconds that never jumps
 */
export function makeLineRate(
  { lines, period, kinds }: LineRateLimits,
  now: () => number = () => performance.now(),
): (kind: string) => LineVerdict {
  const counts = new Map<string, Count>();
  return (kind) => {
    const known = counts.get(kind);
    const isOver = known === undefined || now() - known.began >= period;
    const count = isOver ? { began: now(), lines: 0, leftOut: known?.leftOut ?? 0 } : known;
    if (isOver) {
      counts.delete(kind);
      const [oldest] = counts.keys();
      if (oldest !== undefined && counts.size >= kinds) counts.delete(oldest);
      counts.set(kind, count);
    }
    if (count.lines >= lines) {
      count.leftOut += 1;
      return { kind: 'left-out' };
    }
    count.lines += 1;
    const { leftOut } = count;
    count.leftOut = 0;
    return { kind: count.lines === lines ? 'last' : 'written', leftOut };
  };
}
