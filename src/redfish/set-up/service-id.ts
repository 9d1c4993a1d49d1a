import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Log } from '../../platform/log.ts';
import { isBusy, readStateText, writeStateText } from '../../platform/state-file.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The id of the service outlives it: clients know a device by it (DSP0266, "UUID"). What is no UUID any
 * more gives way to a new one.
 * @throws SetupError when the program has too many descriptors to look: the id is there the next time
 */
export async function readServiceId(path: string, log: Log): Promise<string> {
  const text = read(path)?.trim().toLowerCase();
  if (text !== undefined && uuid.test(text)) return text;
  const id = randomUUID();
  if (text !== undefined) {
    log.warn('the id of the service cannot be read, it has a new one', { path, id });
    rmSync(path, { force: true, recursive: true });
  }
  await writeStateText(path, id);
  return id;
}

/** @returns nothing of use, but not `undefined`, when there is something that nobody can read */
function read(path: string): string | undefined {
  try {
    return readStateText(path);
  } catch (error) {
    if (isBusy(error)) throw error;
    return '';
  }
}
