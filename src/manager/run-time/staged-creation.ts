import { join } from 'node:path';
import { writeNewFile } from '../../storage/atomic-file.ts';
import { ownerOnly } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import type { StagedChange } from '../change.ts';

/** Names the part of a journal whose endpoint was not there before. */
const absentFile = 'no-endpoint';

/** What becomes of the endpoint of a staged creation. */
export interface Creation {
  /** Makes the endpoint one that is there, before its certificates. */
  appear(): Promise<void>;
  /** Makes it one that is not, after its certificates have gone; nothing where it never appeared. */
  disappear(): Promise<void>;
}

/** A change that puts the first certificates into an endpoint, and brings the endpoint with them. */
export function withCreation(change: StagedChange, { appear, disappear }: Creation): StagedChange {
  return {
    ...change,
    save: (directory) => writeNewFile(join(directory, absentFile), '', ownerOnly),
    async activate() {
      await appear();
      await change.activate();
    },
    async undo() {
      await change.undo();
      await disappear();
    },
  };
}

/** What becomes of the endpoint of a staged removal, which stays on the disk until the removal is committed. */
export interface Removal extends Creation {
  /** Forgets what is left of it, once it is gone for good. */
  forget(): void;
}

/** A change that takes all certificates out of an endpoint, and the endpoint with them. */
export function withRemoval(
  change: StagedChange,
  { appear, disappear, forget }: Removal,
): StagedChange {
  let isGone = false;
  return {
    ...change,
    async activate() {
      await change.activate();
      await disappear();
      isGone = true;
    },
    async undo() {
      isGone = false;
      await appear();
      await change.undo();
    },
    release() {
      change.release();
      if (isGone) forget();
    },
  };
}

/** Whether a part of a journal says that its endpoint was not there. */
export function wasAbsent(directory: string): Promise<boolean> {
  return exists(join(directory, absentFile));
}
