import type { Request } from 'express';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { refuseExpiredPassword, unauthorized } from './authentication.ts';

/**
 * The client of a request as he is by now. His body may have come for an hour and his turn later yet, and what was
 * taken from him meanwhile is not his any more. No password is hashed for it.
 * @throws RedfishError 401 when he would not be let in again; 403 when he must first change his password
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

/** The password that was right is the one of now, as far as the directory tells. */
async function bySamePassword(
  { account: before }: Identity,
  { settings, users }: Access,
): Promise<Identity | undefined> {
  if (settings.policy.basicAuth === 'Disabled') return undefined;
  const now = await users.find(before.userName);
  if (!now?.enabled || now.locked || now.passwordStamp !== before.passwordStamp) return undefined;
  // A login may know of an expired password what nobody else does
  const passwordChangeRequired = now.passwordChangeRequired || before.passwordChangeRequired;
  return { account: { ...now, passwordChangeRequired } };
}
