import { SetupError } from '../core/setup-error.ts';
import { readRegularFileSync } from '../storage/regular-file.ts';

/** Numbers of users and groups by the names in /etc/passwd and /etc/group. */
export interface SystemAccounts {
  userId(name: string): number;
  groupId(name: string): number;
}

/** @param root where `etc` is. Lookups throw a SetupError for a name that is not there. */
export function readSystemAccounts(root = '/'): SystemAccounts {
  return {
    userId: (name) => lookUp(`${root}etc/passwd`, name, 'user'),
    groupId: (name) => lookUp(`${root}etc/group`, name, 'group'),
  };
}

function lookUp(path: string, name: string, kind: string): number {
  const lines = readRegularFileSync(path).split('\n');
  const fields = lines.map((line) => line.split(':')).find(([entry]) => entry === name);
  const id = Number(fields?.[2]);
  if (!fields || !Number.isSafeInteger(id)) {
    throw new SetupError(`The configuration names the ${kind} ${name}, which does not exist.`);
  }
  return id;
}
