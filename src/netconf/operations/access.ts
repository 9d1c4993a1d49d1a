import type { Identity } from '../../identity/identity.ts';
import { hasPrivilege, type Privilege } from '../../identity/roles.ts';
import type { Caller } from '../rpc/operation.ts';
import { RpcError } from '../rpc/rpc-error.ts';

/** What reads; certificates are no secret of the device, so that cert-data is read with it. */
export const toRead: Privilege = 'Login';
/** What changes certificates, in every edge. */
export const toChange: Privilege = 'ConfigureManager';

/** Who the caller is by now, and that the role still lets it do this. @throws RpcError `access-denied` */
export async function mustBeAllowed(caller: Caller, privilege: Privilege): Promise<Identity> {
  const identity = await caller.current();
  const { role, userName } = identity.account;
  if (hasPrivilege(role, privilege)) return identity;
  const message = `the role ${role} of ${userName} may not do this`;
  throw new RpcError('access-denied', message, { type: 'protocol' });
}
