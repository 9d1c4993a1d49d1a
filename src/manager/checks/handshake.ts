import { exportPrivateKey } from '../../x509/keys.ts';
import { probeHandshake } from '../../x509/probe-handshake.ts';
import type { ServingProfile } from '../../x509/serving-profile.ts';
import type { CredentialCandidate } from './checks.ts';

/**
 * Why a service cannot serve a credential: OpenSSL loads much that it then refuses in each handshake, so one is
 * made of each version, in memory, with a client that takes everything.
 * @returns OpenSSL's reason, `undefined` when all handshakes succeed
 */
export async function handshakeFault(
  { leaf, chain, key }: Pick<CredentialCandidate, 'leaf' | 'chain' | 'key'>,
  { ciphers, groups, signatures, handshakeLevel, versions }: ServingProfile,
): Promise<string | undefined> {
  const server = {
    key: exportPrivateKey(key),
    cert: [leaf, ...chain].map(({ pem }) => pem).join(''),
    ciphers: `${ciphers}:@SECLEVEL=${handshakeLevel}`,
    ecdhCurve: groups,
    sigalgs: signatures,
    minVersion: versions[0] ?? 'TLSv1.3',
  };
  for (const version of versions) {
    const fault = await probeHandshake(server, version);
    if (fault !== undefined) return `no handshake of ${version} succeeds with it: ${fault}`;
  }
  return undefined;
}
