import type { CertificateLogin } from '../../identity/accounts/access-settings.ts';
import type { NewUser, User } from '../../identity/accounts/user-directory.ts';
import type { Identity } from '../../identity/identity.ts';
import { forgetCertificates } from '../../identity/peer-certificates/forget.ts';
import type { Access } from '../access.ts';
import type { SubscriberAuthorization } from '../events/subscriber-authorization.ts';
import { unavailable } from '../messages/redfish-error.ts';
import { refuseLosingCertificate } from './account-changes.ts';

/** Throws unless the client may still do it. Asked when nothing that takes long is left before the change. */
type StillMay = () => Promise<void>;

/**
 * Makes an account that has nothing of an earlier one with its name. One call after the other for each name, and after
 * an end of it: of two the second must not take what the first already has.
 */
export async function createUser(
  access: Access,
  rights: SubscriberAuthorization,
  user: NewUser,
  stillMay: StillMay = async () => undefined,
): Promise<User> {
  await forgetNamesakes(access, rights, user.userName);
  await stillMay();
  return access.users.changes.create(user);
}

/**
 * Gives an account another name, as which it keeps what it has, and makes the rest of the change in the same step. Nothing
 * of an earlier account with the new name is left to it. One call after the other for each of the two names.
 * @param identity who asks for it, where a certificate may have to let him in again
 */
export async function renameUser(
  access: Access,
  rights: SubscriberAuthorization,
  identity: Identity | undefined,
  { name, isOwn }: { name: string; isOwn: boolean },
  update: () => Promise<User>,
  stillMay: StillMay = async () => undefined,
): Promise<User> {
  const rename = async (login?: CertificateLogin) => {
    if (isOwn && identity && login) refuseLosingCertificate(access, identity, login, name);
    await forgetNamesakes(access, rights, name);
    await stillMay();
    return update();
  };
  const { certificates, renames } = access;
  const user = certificates
    ? await certificates.settings.during(({ clientCertificates }) => rename(clientCertificates))
    : await rename();
  // The account has its new name; what the disk does not let follow now is tried again
  await renames.settle().catch(() => undefined);
  return user;
}

/**
 * Removes an account with what it has. Once the account is gone it is done, whatever the disk makes of the rest:
 * no client can use that any more, and the maintenance of removed users takes it.
 * @param identity who asks for it, where certificates may have to stay for him
 */
export async function removeUser(
  access: Access,
  rights: SubscriberAuthorization,
  identity: Identity | undefined,
  userName: string,
  stillMay: StillMay = async () => undefined,
): Promise<void> {
  let isGone = false;
  const remove = async () => {
    await stillMay();
    await access.users.changes.remove(userName);
    isGone = true;
  };
  try {
    await forgetCertificates(access, identity, (one) => one.userName === userName, remove);
  } catch (error) {
    if (!isGone) throw error;
  }
  access.sessions.endOf(userName);
  await access.sessions.ended();
  await rights.forget(userName);
}

/**
 * A user of this name who was removed elsewhere, or just before a power cut, may have left sessions, certificates and
 * subscriptions. They go first: they would belong to the new user.
 * @throws RedfishError 503 when the disk does not let them
 */
async function forgetNamesakes(
  { accountCertificates, sessions, users, renames }: Access,
  rights: SubscriberAuthorization,
  name: string,
): Promise<void> {
  if (await users.find(name)) return;
  try {
    // What an account with another name by now has under this one is not to be lost
    await renames.settle();
    await accountCertificates?.remove(({ userName }) => userName === name);
    sessions.endOf(name);
    await sessions.endedForGood();
    await rights.clear(name);
  } catch (cause) {
    const detail =
      'No account gets the name now: what an earlier one of the name may have left cannot be read, or removed, from the disk';
    throw unavailable(60, { detail, cause });
  }
}
