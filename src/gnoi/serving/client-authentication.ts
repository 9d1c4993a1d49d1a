export type ClientAuthentication =
  | 'none'
  | 'request'
  | 'request-and-verify'
  | 'require'
  | 'require-and-verify';

/** What is asked of the certificates of clients, and why. */
export interface AuthenticationMode {
  readonly mode: ClientAuthentication;
  readonly cause: 'configuration' | 'bundle' | 'no bundle';
}

/**
 * A bundle makes clients show certificates that it verifies, unless the configuration says otherwise.
 * @param configured what the configuration says; `undefined` where it leaves that to the bundle
 */
export function authenticationMode(
  configured: ClientAuthentication | undefined,
  hasBundle: boolean,
): AuthenticationMode {
  if (configured !== undefined) return { mode: configured, cause: 'configuration' };
  return hasBundle
    ? { mode: 'require-and-verify', cause: 'bundle' }
    : { mode: 'none', cause: 'no bundle' };
}

/** What a client showed in its handshake. */
export interface ShownIdentity {
  readonly hasCertificate: boolean;
  readonly isVerified: boolean;
}

/** Whether a mode lets a client go on after its handshake. */
export function isWelcome(
  mode: ClientAuthentication,
  { hasCertificate, isVerified }: ShownIdentity,
): boolean {
  switch (mode) {
    case 'none':
    case 'request':
      return true;
    case 'request-and-verify':
      return !hasCertificate || isVerified;
    case 'require':
      return hasCertificate;
    case 'require-and-verify':
      return isVerified;
  }
}
