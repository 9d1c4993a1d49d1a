import type { Request } from 'express';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { refuseExpiredPassword, unauthorized } from './authentication.ts';

/**
 * The client of a request as it is by now. The body may have arrived for an hour, and the turn of the request came later
 * yet; rights that the user lost meanwhile do not count any more. No password is hashed for it.
 * @throws RedfishError 401 when the client could not log in again; 403 when the user must first change the password
 */
export async function reauthenticate(
  req: Request,
  identity: Identity,
  access: Access,
): Promise<Identity> {
  const again = await sameClient(req, identity, access);
  if (!again) throw unauthorized(req, access, 'The login of the request is not valid any more');
  refuseExpiredPassword(req, again);
  return again;
}

async function sameClient(
  { socket }: Request,
  identity: Identity,
  access: Access,
): Promise<Identity | undefined> {
  const { session, certificate } = identity;
  if (session) return bySameSession(session.id, access);
  if (!certificate) return bySamePassword(identity, access);
  const login = await access.certificates?.login(socket);
  if (!login || !('account' in login)) return undefined;
  return login.account.userName === identity.account.userName ? login : undefined;
}

async function bySameSession(
  id: string,
  { sessions, users }: Access,
): Promise<Identity | undefined> {
  const before = sessions.get(id);
  if (!before) return undefined;
  // Its user may have another name by now
  const account = await users.find(before.userName);
  // It may have ended while the user was asked for
  const session = sessions.get(id);
  return account?.enabled && session ? { account, session } : undefined;
}

/** Whether the password of the login is still the password of the user, as far as the directory tells. */
async function bySamePassword(
  { account: before }: Identity,
  { settings, users }: Access,
): Promise<Identity | undefined> {
  if (settings.policy.basicAuth === 'Disabled') return undefined;
  const now = await users.find(before.userName);
  if (!now?.enabled || now.locked || now.passwordStamp !== before.passwordStamp) return undefined;
  // Only a login may know that a password has expired
  const passwordChangeRequired = now.passwordChangeRequired || before.passwordChangeRequired;
  return { account: { ...now, passwordChangeRequired } };
}
