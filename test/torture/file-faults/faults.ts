import type { errorNumbers, Rule } from '../file-operations/library.ts';

/** A way in which a file system fails. */
export interface Fault {
  readonly name: string;
  readonly action: Rule['action'];
  readonly error: keyof typeof errorNumbers;
  readonly of: Rule['of'];
}

/** Once: the next operation is well again. From then on: until the fault ends, after the change. */
export const faults: readonly Fault[] = [
  { name: 'EIO once', action: 'fail', error: 'EIO', of: 'change' },
  { name: 'EIO from then on', action: 'fail-from', error: 'EIO', of: 'change' },
  { name: 'ENOSPC once', action: 'fail', error: 'ENOSPC', of: 'change' },
  { name: 'ENOSPC from then on', action: 'fail-from', error: 'ENOSPC', of: 'change' },
  { name: 'a short write and ENOSPC', action: 'short', error: 'ENOSPC', of: 'change' },
  { name: 'EROFS from then on', action: 'fail-from', error: 'EROFS', of: 'change' },
  { name: 'EACCES once', action: 'fail', error: 'EACCES', of: 'change' },
  { name: 'EMFILE once', action: 'fail', error: 'EMFILE', of: 'change' },
  { name: 'EIO of reading once', action: 'fail', error: 'EIO', of: 'look' },
  { name: 'EIO of reading from then on', action: 'fail-from', error: 'EIO', of: 'look' },
  { name: 'EMFILE of reading once', action: 'fail', error: 'EMFILE', of: 'look' },
  { name: 'EMFILE of reading from then on', action: 'fail-from', error: 'EMFILE', of: 'look' },
  { name: 'EACCES of reading once', action: 'fail', error: 'EACCES', of: 'look' },
];
