import type { LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { classifyIoError } from '../storage/io-errors.ts';
import { DeliveryDeferred } from './delivery-deferred.ts';

/**
 * The addresses that a file of hosts gives a name (hosts(5)); none where there is no such file.
 * @param name in lower case
 * @throws DeliveryDeferred when the system does not tell what the file holds
 */
export async function addressesInFile(
  path: string,
  name: string,
): Promise<readonly LookupAddress[]> {
  return (await textOf(path)).split('\n').flatMap((line) => {
    const [entry = ''] = line.split('#');
    const [address = '', ...names] = entry.trim().toLowerCase().split(/\s+/);
    const family = isIP(address);
    return family !== 0 && names.includes(name) ? [{ address, family }] : [];
  });
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    // A name that is there must not be asked of others meanwhile
    if (classifyIoError(cause)) throw new DeliveryDeferred(`${path} cannot be read now`, { cause });
    return '';
  }
}
