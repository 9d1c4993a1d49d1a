import { readRegularFileSync } from '../storage/regular-file.ts';
import { InvalidMember } from './invalid-member.ts';

/** Numbers of users and groups by the names in /etc/passwd and /etc/group. */
export interface SystemAccounts {
  /** @param member path of the member of the configuration that names it. @throws InvalidMember when there is none */
  userId(name: string, member: string): number;
  groupId(name: string, member: string): number;
}

/** @param root where `etc` is */
export function readSystemAccounts(root = '/'): SystemAccounts {
  return {
    userId: (name, member) => lookUp(`${root}etc/passwd`, name, 'user', member),
    groupId: (name, member) => lookUp(`${root}etc/group`, name, 'group', member),
  };
}

function lookUp(path: string, name: string, kind: string, member: string): number {
  const lines = readRegularFileSync(path).split('\n');
  const fields = lines.map((line) => line.split(':')).find(([entry]) => entry === name);
  const id = Number(fields?.[2]);
  if (!fields || !Number.isSafeInteger(id)) {
    throw new InvalidMember(member, `names the ${kind} ${name}, which does not exist`);
  }
  return id;
}
