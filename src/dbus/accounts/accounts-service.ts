import type { Audit } from '../../core/audit.ts';
import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import type { Accounts } from '../../identity/accounts/accounts.ts';
import type { GuardedUsers } from '../../identity/accounts/guarded-users.ts';
import { auditCalls } from '../certs/audit-calls.ts';
import { authorizeCaller, type CallerPolicy } from '../server/caller-policy.ts';
import { signatureOf } from '../server/interface.ts';
import { ObjectServer, reportTo } from '../server/object-server.ts';
import { connectBus } from '../transport/bus.ts';
import type { Callers } from '../transport/bus-driver.ts';
import { requestName } from '../transport/bus-name.ts';
import { AccountChanges } from './account-changes.ts';
import { accountsInterface, accountsName, accountsRoot } from './accounts-interface.ts';
import { accountsObject } from './accounts-object.ts';

export interface AccountsServiceOptions {
  readonly busAddress: string;
  readonly callers: Callers;
  readonly access: CallerPolicy;
  /** Numbers of the users who may set the password of the operator. */
  readonly operators: readonly number[];
  readonly accounts: Accounts;
  readonly users: GuardedUsers;
  readonly audit: Audit;
  readonly log: Log;
  /** The bus went away: no edge can reach the accounts any more. */
  readonly onLost: () => void;
}

export interface AccountsService {
  /** Lets others ask for the accounts from now on. Edges that may not any more are told no further change. */
  allow(access: CallerPolicy): Promise<void>;
  close(): void;
}

/** Serves the accounts on the bus. @throws SetupError when another program serves them */
export async function serveAccounts(options: AccountsServiceOptions): Promise<AccountsService> {
  const { accounts, users, callers, operators, audit, log } = options;
  let { access } = options;
  const authorize = (name: string) => authorizeCaller(callers, access, 'use the accounts')(name);
  const bus = await connectBus(options.busAddress);
  bus.onLost(options.onLost);
  const server = new ObjectServer({
    bus,
    root: accountsRoot,
    authorize,
    follow: auditCalls(audit, callers),
    report: reportTo(log),
  });
  const signature = signatureOf(accountsInterface.signals.Changed);
  const changes = new AccountChanges(accounts, users, (destination, body) => {
    const name = accountsInterface.name;
    bus.signal(accountsRoot, name, 'Changed', signature, body, destination);
  });
  callers.onDisconnect((name) => changes.forget(name));
  server.add(accountsRoot, [accountsObject({ accounts, users, changes, operators })]);
  await requestName(bus, accountsName).catch((cause: unknown) => {
    if (cause instanceof CertError) throw cause;
    const message =
      'Another account manager serves the accounts on this bus, and there is one for all edges.';
    throw new SetupError(message, { cause });
  });
  return {
    async allow(next) {
      access = next;
      await changes.keepOnly(authorize);
    },
    close: () => bus.close(),
  };
}
