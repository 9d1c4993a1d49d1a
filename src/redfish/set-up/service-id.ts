import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';

/** The id of the service outlives it: clients know a device by it (DSP0266, "UUID"). */
export async function readServiceId(path: string): Promise<string> {
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const id = randomUUID();
  await makeDirectory(dirname(path), ownerOnly);
  await writeFileAtomic(path, `${id}\n`, ownerOnly);
  return id;
}
