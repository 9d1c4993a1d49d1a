import type { LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { unanswered } from '../storage/io-errors.ts';
import { NotSentYet } from './delivery-deferred.ts';

/**
 * The addresses that a file of hosts gives a name (hosts(5)); none where there is no such file.
 * @param name in lower case
 * @throws NotSentYet when the system does not tell what the file holds
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
    if (unanswered(cause)) throw new NotSentYet(`${path} cannot be read now`, { cause });
    return '';
  }
}
