import type { NewUser, User, UserChange } from '../../identity/accounts/user-directory.ts';
import { signatureOf } from '../server/interface.ts';
import { connectBus } from '../transport/bus.ts';
import { fromBusError } from './account-errors.ts';
import {
  type AccountTuple,
  accountsInterface,
  accountsName,
  accountsRoot,
  fromAccount,
  toChanges,
} from './accounts-interface.ts';

/**
 * What the administrator of a device asks of the account manager, call by call. Everything rejects with IdentityErrors, and with
 * the CertError `unavailable` or `access-denied` where the account manager does not answer, or not this user.
 */
export interface AccountAdministration {
  list(): Promise<readonly User[]>;
  create(user: NewUser): Promise<void>;
  update(userName: string, change: UserChange): Promise<void>;
  remove(userName: string): Promise<void>;
  close(): void;
}

/** @throws CertError `unavailable` */
export async function administerAccounts(busAddress: string): Promise<AccountAdministration> {
  const bus = await connectBus(busAddress);
  const call = async (
    member: keyof typeof accountsInterface.methods,
    userName: string,
    ...body: readonly unknown[]
  ) => {
    const signature = signatureOf(accountsInterface.methods[member].in);
    const method = { path: accountsRoot, interface: accountsInterface.name, member, signature };
    try {
      // To the name, which the bus starts the account manager for
      return await bus.call({ destination: accountsName, ...method, body });
    } catch (error) {
      const known = fromBusError(error, userName);
      throw known.code === 'unavailable' || known.code === 'failed' ? error : known;
    }
  };
  return {
    async list() {
      const [state] = await call('Watch', '');
      const [, accounts] = state as [bigint, AccountTuple[]];
      return accounts.flatMap((account) => fromAccount(account) ?? []);
    },
    async create({ userName, password, role, enabled, passwordChangeRequired }) {
      const body = [userName, Buffer.from(password), role, enabled, passwordChangeRequired];
      await call('Create', userName, ...body);
    },
    async update(userName, change) {
      await call('Update', userName, userName, toChanges(change), '', '');
    },
    async remove(userName) {
      await call('Remove', userName, userName);
    },
    close: () => bus.close(),
  };
}
