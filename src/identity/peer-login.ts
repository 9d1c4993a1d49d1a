import type { LoginOutcome, Users } from './accounts/user-directory.ts';
import type { Identity } from './identity.ts';
import { type LoginAttempt, type LoginAudit, loginId } from './login-audit.ts';
import type { ClientCertificates } from './peer-certificates/client-certificates.ts';
import type { Refusal } from './peer-certificates/refusal.ts';

/** The far end of a connection, whatever protocol is spoken over it. */
export interface Peer {
  /** The connection, by which the certificate of the peer is known. */
  readonly connection: object;
  /** IP address. */
  readonly address: string;
}

/** Where clients cannot log in with certificates, there are none. */
export interface CertificateLogins {
  readonly certificates?: Pick<ClientCertificates, 'login'>;
  readonly logins: LoginAudit;
}

export type PeerLogin<R> = { readonly identity: Identity } | { readonly refusal: R };

/**
 * Logs a peer in by the certificate that it made its connection with.
 * @returns `undefined` for a peer without a certificate, or where none counts
 */
export async function loginByCertificate(
  { certificates, logins }: CertificateLogins,
  { connection, address }: Peer,
): Promise<PeerLogin<Refusal> | undefined> {
  const login = await certificates?.login(connection);
  if (!login) return undefined;
  const attempt = { address, method: 'certificate', connection } as const;
  if ('refusal' in login) {
    logins.login({ ...attempt, userName: '' }, login.refusal);
    return login;
  }
  logins.login({ ...attempt, userName: login.account.userName }, 'ok');
  return { identity: login };
}

type PasswordRefusal = Exclude<LoginOutcome, { user: unknown }>['kind'];

const noUser: Promise<LoginOutcome> = Promise.resolve({ kind: 'wrong' });

/**
 * Logs a peer in by a name and a password. The edge must tell a peer of no difference between the refusals but `busy`:
 * a lock, a disabled account and an unknown name look alike. With an expired password the peer may do nothing but
 * change it (`passwordChangeRequired`).
 * @throws IdentityError `unavailable`
 */
export async function loginByPassword(
  { users, logins }: { readonly users: Pick<Users, 'login'>; readonly logins: LoginAudit },
  attempt: LoginAttempt,
  password: string,
): Promise<PeerLogin<PasswordRefusal>> {
  const { userName, address } = attempt;
  const id = loginId();
  const told = { userName, address, edge: logins.edge, id };
  // No user has a name with a NUL, and the bus cannot carry it
  const asked = userName.includes('\0') ? noUser : users.login(told, password);
  const outcome = await asked.catch((error: unknown) => {
    logins.login(attempt, 'unavailable', id);
    throw error;
  });
  logins.login(attempt, outcome.kind, id);
  if (!('user' in outcome)) return { refusal: outcome.kind };
  const { kind, user } = outcome;
  return {
    identity: { account: kind === 'ok' ? user : { ...user, passwordChangeRequired: true } },
  };
}
