import type { Request } from 'express';
import type { Certificate } from '../../manager/x509/certificate.ts';
import type { ClientCertificates } from '../client-certificates/client-certificates.ts';
import { isFromOtherSite } from '../client-certificates/other-sites.ts';
import { refusals } from '../client-certificates/refusal.ts';
import type { RedfishError } from '../messages/redfish-error.ts';
import { RedfishError as Failure } from '../messages/redfish-error.ts';
import { type Account, type Accounts, LoginQueueFull } from './accounts.ts';
import type { Session, Sessions } from './sessions.ts';

/** Who makes a request. */
export interface Identity {
  readonly account: Account;
  /** Absent with Basic authentication. */
  readonly session?: Session;
  /** The client's own, when it made the connection with it and is logged in by it. */
  readonly certificate?: Certificate;
}

/**
 * Finds out who makes a request: by the certificate of the connection, else by X-Auth-Token, else by
 * HTTP Basic (DSP0266, "Authentication"). A certificate that logs nobody in leaves the other ways open.
 * @returns `undefined` when the client gives no credentials
 * @throws RedfishError 401 when it gives some that are not valid
 */
export async function authenticate(
  req: Request,
  accounts: Accounts,
  sessions: Sessions,
  certificates?: ClientCertificates,
): Promise<Identity | undefined> {
  const shown = await certificates?.login(req.socket);
  if (shown && 'account' in shown) {
    if (isFromOtherSite({ method: req.method, header: (name) => req.get(name) })) throw otherSite();
    return shown;
  }
  const token = req.get('X-Auth-Token');
  if (token !== undefined) {
    const session = sessions.use(token);
    if (!session) throw unauthorized(req, 'The session token is not valid');
    return { account: session.account, session };
  }
  const credentials = basicCredentials(req.get('Authorization'));
  if (!credentials) {
    if (shown)
      throw unauthorized(req, `The client certificate is refused: ${refusals[shown.refusal]}`);
    return undefined;
  }
  const account = await login(accounts, credentials.userName, credentials.password);
  if (!account) throw unauthorized(req, badLogin);
  return { account };
}

export const badLogin = 'Invalid username or password';

/** @throws RedfishError 503 when too many wait already */
export async function login(
  accounts: Accounts,
  userName: string,
  password: string,
): Promise<Account | undefined> {
  try {
    return await accounts.login(userName, password);
  } catch (error) {
    if (!(error instanceof LoginQueueFull)) throw error;
    throw new Failure(
      503,
      { id: 'ServiceTemporarilyUnavailable', args: ['5'] },
      { 'Retry-After': '5' },
    );
  }
}

export function loginRequired(req: Request): RedfishError {
  return new Failure(401, { id: 'NoValidSession', args: [] }, challenge(req));
}

function otherSite(): RedfishError {
  const detail = 'A page of another site may not use the client certificate for changes';
  return new Failure(403, { id: 'InsufficientPrivilege', args: [], detail });
}

function unauthorized(req: Request, text: string): RedfishError {
  const args = [req.path, text];
  return new Failure(401, { id: 'ResourceAtUriUnauthorized', args }, challenge(req));
}

/**
 * A browser answers this header with a dialog of its own that scripts cannot see, so requests of
 * scripts, which carry X-Requested-With, do not get it.
 */
function challenge(req: Request): Record<string, string> {
  return req.get('X-Requested-With') ? {} : { 'WWW-Authenticate': 'Basic realm="Redfish"' };
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
