import type { CallerPolicy } from '../../dbus/server/caller-policy.ts';
import type { Configuration } from '../../platform/configuration.ts';
import type { SystemAccounts } from '../../platform/system-accounts.ts';

/** Root and the own user of the program. */
export const ownUsers = [0, process.getuid?.() ?? 0];

/**
 * Who may use what is configured so: root, the program's own user, and those who are named.
 * @param path of the member of the configuration. @throws InvalidMember for a user or a group that does not exist
 */
export function accessPolicy(
  access: Configuration['access'],
  path: string,
  accounts: SystemAccounts,
): CallerPolicy {
  const users = access.users.map((name, at) => accounts.userId(name, `${path}/users/${at}`));
  return {
    users: [...ownUsers, ...users],
    groups: access.groups.map((name, at) => accounts.groupId(name, `${path}/groups/${at}`)),
  };
}
