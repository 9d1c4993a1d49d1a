import { writeFileAtomic } from '../../storage/atomic-file.ts';
import { ownerOnly } from '../../storage/file-mode.ts';

const installed = 'installed';

/** When a CSR was made, and after how many others: no clock that is set changes their order. */
export interface CsrTimestamp {
  readonly created: Date;
  readonly number: number;
  /** The CSR, where the key had another one before: time and CSR change at once, or not at all. */
  readonly renewal?: string;
  /** Whether its certificate came, so that none is waited for. */
  readonly isInstalled?: boolean;
}

/** What does not say when it was made is as old as can be, and of an unknown age. */
export function readCsrTimestamp(text: string): CsrTimestamp {
  const [line = '', ...rest] = text.split('\n');
  const [time = '', number = '0', state] = line.trim().split(' ');
  const milliseconds = Date.parse(time);
  const renewal = rest.join('\n');
  return {
    created: new Date(Number.isNaN(milliseconds) ? 0 : milliseconds),
    number: Number.parseInt(number, 10) || 0,
    ...(state === installed && { isInstalled: true }),
    ...(renewal.startsWith('-----BEGIN ') && { renewal }),
  };
}

export async function writeCsrTimestamp(
  path: string,
  { created, number, renewal = '', isInstalled = false }: CsrTimestamp,
): Promise<void> {
  const words = [created.toISOString(), number, ...(isInstalled ? [installed] : [])];
  await writeFileAtomic(path, `${words.join(' ')}\n${renewal}`, ownerOnly);
}

export function inOrder(a: CsrTimestamp, b: CsrTimestamp): number {
  return a.number - b.number;
}
