import type { Users } from '../accounts/user-directory.ts';
import type { Identity } from '../identity.ts';
import { IdentityError } from '../identity-error.ts';
import type { AccountCertificates, Owned } from './account-certificates.ts';
import type { ClientCertificates } from './client-certificates.ts';

/** The users, and the certificates by which they log in, where they can. */
interface CertificateLogins {
  readonly users: Pick<Users, 'find'>;
  readonly certificates?: ClientCertificates;
  readonly accountCertificates?: AccountCertificates;
}

/**
 * Takes certificates away from accounts. Where only clients with a certificate of an account are served,
 * those of administrators go only for an administrator who came in with one that stays: so no change locks
 * all administrators out. No change of the settings comes in between.
 * @param first what else must succeed before; nothing changes when it throws
 * @throws IdentityError `locks-out`
 */
export async function forgetCertificates(
  access: CertificateLogins,
  identity: Identity | undefined,
  isGone: (one: Owned) => boolean,
  first: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { accountCertificates: kept, certificates } = access;
  if (!kept) return first();
  const forget = async () => {
    await first();
    await kept.remove(isGone);
  };
  if (!certificates) {
    await forget();
    return;
  }
  await certificates.settings.during(async ({ clientCertificates: { respond, mapping } }) => {
    if (!respond && mapping === 'Whole') await refuseLockout(access, kept, identity, isGone);
    // Before: once an account is gone, others may take what it left
    const gone = kept.all.filter(isGone);
    await forget();
    certificates.cut(gone.map(({ certificate }) => certificate));
  });
}

async function refuseLockout(
  { users }: CertificateLogins,
  kept: AccountCertificates,
  identity: Identity | undefined,
  isGone: (one: Owned) => boolean,
): Promise<void> {
  const shown = identity?.certificate?.fingerprint;
  const comesBack = kept.all.some((one) => one.certificate.fingerprint === shown && !isGone(one));
  if (comesBack && identity?.account.role === 'Administrator') return;
  for (const { userName } of kept.all.filter(isGone)) {
    const owner = await users.find(userName);
    if (owner?.role !== 'Administrator') continue;
    const message =
      'Only an administrator whose own certificate stays may do this, over a connection with it';
    throw new IdentityError('locks-out', userName, message);
  }
}
