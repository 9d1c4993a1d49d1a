import { join } from 'node:path';
import { readRegularFileSync } from '../storage/regular-file.ts';

/** An image has the first, the second or both. */
const files = ['etc/machine-id', 'var/lib/dbus/machine-id'];

/**
 * The id of the installation, 32 hexadecimal digits (machine-id(5)). It is secret: programs show ids that follow from it.
 * @param root of the file system
 * @returns `undefined` where there is none yet, or no valid one
 */
export function machineId(root = '/'): string | undefined {
  for (const name of files) {
    let id: string;
    try {
      id = readRegularFileSync(join(root, name)).trim();
    } catch {
      continue;
    }
    if (/^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id)) return id;
  }
  return undefined;
}
