import type { Credential } from '../../tls/credential.ts';
import {
  type IdentityOptions,
  openServerIdentity,
  type ServerIdentity,
} from '../../tls/server-identity.ts';
import type { Certificate } from '../../x509/certificate.ts';

/** What the service shows, if it has anything to show. */
export interface ShownCertificate {
  readonly identity: ServerIdentity;
  /** `undefined` while the file of the service has nothing that can be served. */
  current(): Certificate | undefined;
}

/**
 * Follows the file that the manager writes for the service. Without it the server has a certificate that no client ever sees,
 * for a server of Node cannot be without one.
 */
export async function openShownCertificate(
  options: Omit<IdentityOptions, 'copyPath' | 'patienceMilliseconds'>,
): Promise<ShownCertificate> {
  const unseen = new WeakSet<Credential>();
  const identity = await openServerIdentity({
    ...options,
    makeSelfSigned() {
      const made = options.makeSelfSigned();
      unseen.add(made);
      return made;
    },
    patienceMilliseconds: 0,
  });
  return {
    identity,
    current: () => (unseen.has(identity.credential) ? undefined : identity.credential.certificate),
  };
}
