import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import type { Users } from '../../identity/accounts/user-directory.ts';
import { guardSystemUsers } from '../../identity/configured-users.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { BusSystemUsers } from '../peers/user-manager.ts';
import { BusAccounts } from './bus-accounts.ts';

/** The users of an edge, with the connection to the program that keeps them. */
export interface OpenUsers {
  readonly users: Users;
  /** Resolves when they are known, or after the first attempt to reach the user manager. */
  start(): Promise<void>;
  close(): void;
}

/** The users that the configuration names, for any edge. */
export function openUsers(configuration: Configuration, audit: Audit, log: Log): OpenUsers {
  const { bus: busAddress } = configuration;
  if (configuration.users.source === 'file') {
    const users = new BusAccounts({ busAddress, log });
    return { users, start: () => users.start(), close: () => users.close() };
  }
  const system = new BusSystemUsers({ busAddress, log });
  const users = guardSystemUsers(configuration, system, audit, log);
  return { users, start: () => system.start(), close: () => system.close() };
}
