import type { AccountCreate, AccountPatch } from '../../../schemas/generated/validators.js';
import type { CertificateLogin } from '../../identity/accounts/access-settings.ts';
import type { AccountType, UserChange } from '../../identity/accounts/user-directory.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { memberError } from '../messages/redfish-error.ts';

/** What an account is good for; the service makes no difference between the two. */
export const accountTypes: readonly AccountType[] = ['Redfish', 'WebUI'];

/**
 * @param types what the account is, or will be, good for
 * @throws RedfishError 400 that names the member
 */
export function refuseBadMembers(
  types: readonly AccountType[],
  { Locked, AccountTypes, StrictAccountTypes }: Partial<AccountCreate> | AccountPatch,
): void {
  if (Locked === true) {
    const detail = 'A lock comes of failed logins only; use Enabled to keep a user out';
    throw memberError(400, 'PropertyValueNotInList', ['true', 'Locked'], 'Locked', detail);
  }
  if (StrictAccountTypes === true) {
    const detail = 'The types of an account always come together';
    const args = ['true', 'StrictAccountTypes'];
    throw memberError(400, 'PropertyValueNotInList', args, 'StrictAccountTypes', detail);
  }
  // Fewer types than the account has is fine: without StrictAccountTypes the others are added
  for (const [at, type] of (AccountTypes ?? []).entries()) {
    if (types.some((one) => one === type)) continue;
    const detail = `The account is of the types ${types.join(' and ')}`;
    const name = `AccountTypes/${at}`;
    throw memberError(400, 'PropertyValueNotInList', [type, name], name, detail);
  }
}

/** Users do not take their own rights away by mistake. @throws RedfishError 409 */
export function refuseSelfHarm({ role, enabled }: UserChange, before: { role: string }): void {
  const detail = 'Users cannot do this to their own accounts';
  if (enabled === false) {
    throw memberError(
      409,
      'PropertyValueExternalConflict',
      ['Enabled', 'false'],
      'Enabled',
      detail,
    );
  }
  if (role !== undefined && role !== before.role) {
    throw memberError(409, 'PropertyValueExternalConflict', ['RoleId', role], 'RoleId', detail);
  }
}

/**
 * Where only clients with certificates are served, a user who came in with one that names him keeps the name: none of
 * his certificates would let him in again.
 * @throws RedfishError 409
 */
export function refuseLosingCertificate(
  { certificates }: Access,
  { certificate }: Pick<Identity, 'certificate'>,
  { mapping }: CertificateLogin,
  name: string,
): void {
  if (!certificate || !certificates || certificates.responds() || mapping === 'Whole') return;
  const detail = 'Only clients with certificates are served, and yours does not have the new name';
  const args = ['UserName', JSON.stringify(name)];
  throw memberError(409, 'PropertyValueExternalConflict', args, 'UserName', detail);
}
