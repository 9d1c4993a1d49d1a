import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Messages that other programs exchanged; captures/README.md says which and how. */
export const capturesFolder = fileURLToPath(new URL('captures', import.meta.url));

export interface Capture {
  /** Such as `3.0.22/ir-pbm/01-req.der`. */
  readonly name: string;
  readonly bytes: Buffer;
}

export function captures(folder = ''): Capture[] {
  return readdirSync(join(capturesFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.der'))
    .map((name) => join(folder, name))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(capturesFolder, name)) }));
}

export function capture(name: string): Buffer {
  return readFileSync(join(capturesFolder, name));
}
