import type { Request } from 'express';
import { clientAddress } from '../../core/client-address.ts';
import type { User } from '../../identity/accounts/user-directory.ts';
import type { Identity } from '../../identity/identity.ts';
import type { LoginAttempt } from '../../identity/login-audit.ts';
import { refusals } from '../../identity/peer-certificates/refusal.ts';
import { loginByCertificate, loginByPassword, type Peer } from '../../identity/peer-login.ts';
import type { Access } from '../access.ts';
import { forbidden, RedfishError, unavailable } from '../messages/redfish-error.ts';
import { cookieToken } from '../sessions/session-cookies.ts';
import { knowsXsrfToken } from '../sessions/sessions.ts';
import { isFromOtherSite } from './other-sites.ts';

/**
 * A scheme of authentication. `undefined` when the request does not use it.
 * @throws RedfishError 401 when the credentials are not valid
 */
type AuthenticationScheme = (req: Request, access: Access) => Promise<Identity | undefined>;

/** In this order; the first that knows the client counts (DSP0266, "Authentication"). */
const schemes: readonly AuthenticationScheme[] = [
  byCertificate,
  byToken,
  byCookie,
  byTokenScheme,
  byBasic,
];

/**
 * Finds out who makes a request.
 * @returns `undefined` when the client gives no credentials
 * @throws RedfishError 401 when it gives some that are not valid, 503 when too many logins wait
 */
export async function authenticate(req: Request, access: Access): Promise<Identity | undefined> {
  for (const scheme of schemes) {
    const identity = await scheme(req, access);
    if (!identity) continue;
    tellClient(access, identity);
    return identity;
  }
  await refuseBadCertificate(req, access);
  return undefined;
}

/**
 * The client of a request that needs one.
 * @throws RedfishError 401; 403 for a user who must first change the password
 */
export async function requireIdentity(req: Request, access: Access): Promise<Identity> {
  const identity = await authenticate(req, access);
  if (!identity) {
    throw new RedfishError(
      401,
      { id: 'NoValidSession', args: [] },
      challenge((name) => req.get(name), access),
    );
  }
  refuseExpiredPassword(req, identity);
  return identity;
}

/** @throws RedfishError 403 for a user who must first change the password */
export function refuseExpiredPassword(req: Request, identity: Identity): void {
  if (!identity.account.passwordChangeRequired || leadsToPasswordChange(req, identity)) return;
  throw passwordChangeRequired(identity.account);
}

export const badLogin = 'Invalid username or password';

/**
 * The user, when the password is right; a lock, a disabled account and an unknown name look alike.
 * @throws RedfishError 503 when too many wait already
 */
export async function login(
  access: Access,
  attempt: LoginAttempt,
  password: string,
): Promise<User | undefined> {
  const login = await loginByPassword(access, attempt, password);
  if ('identity' in login) return login.identity.account;
  if (login.refusal === 'busy') throw unavailable(5);
  return undefined;
}

export function accountUri(userName: string): string {
  return `/redfish/v1/AccountService/Accounts/${encodeURIComponent(userName)}`;
}

export function passwordChangeRequired({ userName }: User): RedfishError {
  return new RedfishError(403, { id: 'PasswordChangeRequired', args: [accountUri(userName)] });
}

/** Every change that is made or refused from here on has a line with its client. */
function tellClient({ audit }: Access, identity: Identity): void {
  audit.tell({ user: identity.account.userName, login: methodOf(identity) });
}

function methodOf({ session, certificate }: Identity): LoginAttempt['method'] {
  if (session) return 'session';
  return certificate ? 'certificate' : 'basic';
}

function peerOf({ socket }: Request): Peer {
  return { connection: socket, address: clientAddress(socket) };
}

/** A certificate without a user leaves the other schemes open. @throws RedfishError 403 */
async function byCertificate(req: Request, access: Access): Promise<Identity | undefined> {
  const login = await loginByCertificate(access, peerOf(req));
  if (!login || 'refusal' in login) return undefined;
  if (!isFromOtherSite({ method: req.method, header: (name) => req.get(name) })) {
    return login.identity;
  }
  tellClient(access, login.identity);
  throw forbidden('A page of another site may not use the client certificate for changes');
}

/** The owner of a certificate may know what is wrong with it. @throws RedfishError 401 */
async function refuseBadCertificate(req: Request, access: Access): Promise<void> {
  const login = await loginByCertificate(access, peerOf(req));
  if (!login || !('refusal' in login)) return;
  throw unauthorized(req, access, `The client certificate is refused: ${refusals[login.refusal]}`);
}

async function byToken(req: Request, access: Access): Promise<Identity | undefined> {
  const token = access.settings.policy.sessionWays.xToken ? req.get('X-Auth-Token') : undefined;
  return token === undefined ? undefined : ofToken(req, access, token);
}

/** A browser sends it unasked, so a cookie alone changes nothing, and a stale one does no harm. */
async function byCookie(
  req: Request,
  { sessions, settings, users }: Access,
): Promise<Identity | undefined> {
  if (!settings.policy.sessionWays.cookie) return undefined;
  const token = cookieToken(req.get('Cookie'));
  const session = token === undefined ? undefined : sessions.find(token);
  if (token === undefined || !session) return undefined;
  const reads = req.method === 'GET' || req.method === 'HEAD';
  if (!reads && !knowsXsrfToken(session, req.get('X-XSRF-TOKEN'))) return undefined;
  const account = await users.find(session.userName);
  if (!account?.enabled) {
    sessions.end(session.id);
    return undefined;
  }
  sessions.use(token);
  return { account, session };
}

async function byTokenScheme(req: Request, access: Access): Promise<Identity | undefined> {
  if (!access.settings.policy.sessionWays.sessionToken) return undefined;
  const token = /^Token +(\S+) *$/i.exec(req.get('Authorization') ?? '')?.[1];
  return token === undefined ? undefined : ofToken(req, access, token);
}

async function ofToken(req: Request, access: Access, token: string): Promise<Identity> {
  const session = access.sessions.use(token);
  const account = session && (await access.users.find(session.userName));
  // A user who was deleted or disabled elsewhere is out at once, and a role counts as it is now
  if (session && !account?.enabled) access.sessions.end(session.id);
  if (!session || !account?.enabled) {
    throw unauthorized(req, access, 'The session token is not valid');
  }
  return { account, session };
}

async function byBasic(req: Request, access: Access): Promise<Identity | undefined> {
  if (access.settings.policy.basicAuth === 'Disabled') return undefined;
  const credentials = basicCredentials(req.get('Authorization'));
  if (!credentials) return undefined;
  const { userName, password } = credentials;
  const attempt = { ...peerOf(req), userName, method: 'basic' } as const;
  const account = await login(access, attempt, password);
  if (!account) throw unauthorized(req, access, badLogin);
  return { account };
}

/** The user reaches the own account and the own session, and nothing else. */
function leadsToPasswordChange(req: Request, { account, session }: Identity): boolean {
  const path = req.path.replace(/\/+$/, '');
  if (path === accountUri(account.userName)) return ['GET', 'HEAD', 'PATCH'].includes(req.method);
  const own = `/redfish/v1/SessionService/Sessions/${session?.id ?? ''}`;
  return session !== undefined && path === own && ['GET', 'HEAD', 'DELETE'].includes(req.method);
}

export function unauthorized(req: Request, access: Access, text: string): RedfishError {
  const args = [req.path, text];
  const message = { id: 'ResourceAtUriUnauthorized', args } as const;
  return new RedfishError(
    401,
    message,
    challenge((name) => req.get(name), access),
  );
}

/**
 * The headers of a 401 (RFC 9110 §15.5.2). A browser answers a challenge with a dialog of its own that scripts cannot see, so requests of
 * scripts, which carry X-Requested-With, do not get it.
 */
export function challenge(
  header: (name: string) => string | undefined,
  { settings }: Access,
): Record<string, string> {
  if (header('X-Requested-With') || settings.policy.basicAuth !== 'Enabled') return {};
  return { 'WWW-Authenticate': 'Basic realm="Redfish"' };
}

function basicCredentials(
  header: string | undefined,
): { readonly userName: string; readonly password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { userName: text.slice(0, colon), password: text.slice(colon + 1) };
}
