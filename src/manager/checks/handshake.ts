import { Duplex } from 'node:stream';
import {
  connect,
  createSecureContext,
  type SecureContextOptions,
  type SecureVersion,
  TLSSocket,
} from 'node:tls';
import { exportPrivateKey } from '../x509/keys.ts';
import type { KeyedCandidate } from './checks.ts';
import type { ServingProfile } from './serving-profile.ts';

/** What is far beyond every handshake in memory, also on a device that has much to do. */
const deadlineMilliseconds = 20_000;

/**
 * Why a service cannot serve a credential: OpenSSL loads much that it then refuses in each handshake, so one is
 * made of each version, in memory, with a client that takes everything.
 * @returns OpenSSL's reason, `undefined` when all handshakes succeed
 */
export async function handshakeFault(
  { leaf, chain, key }: Pick<KeyedCandidate, 'leaf' | 'chain' | 'key'>,
  serving: ServingProfile,
): Promise<string | undefined> {
  const { ciphers, groups, signatures, securityLevel } = serving;
  const server: SecureContextOptions = {
    key: exportPrivateKey(key),
    cert: [leaf, ...chain].map(({ pem }) => pem).join(''),
    ciphers: `${ciphers}:@SECLEVEL=${securityLevel}`,
    ecdhCurve: groups,
    sigalgs: signatures,
  };
  for (const version of serving.versions) {
    const fault = await attempt(server, version);
    if (fault !== undefined) return `no handshake of ${version} succeeds with it: ${fault}`;
  }
  return undefined;
}

const anyClient: SecureContextOptions = {
  ciphers: 'ALL:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:@SECLEVEL=0',
  ecdhCurve: 'X25519:prime256v1:secp384r1:secp521r1',
  sigalgs: [
    'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448',
    'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512',
    'rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512',
    'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:RSA+SHA224:ECDSA+SHA224:RSA+SHA1:ECDSA+SHA1',
  ].join(':'),
};

async function attempt(
  options: SecureContextOptions,
  version: SecureVersion,
): Promise<string | undefined> {
  const only = { minVersion: version, maxVersion: version };
  const [near, far] = pipe();
  const sockets: TLSSocket[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const secureContext = createSecureContext({ ...options, ...only });
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('it takes too long')), deadlineMilliseconds);
      const server = new TLSSocket(near, { isServer: true, secureContext });
      // What a certificate says does not matter here, only that it can be shown
      const client = connect({
        socket: far,
        secureContext: createSecureContext({ ...anyClient, ...only }),
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      });
      sockets.push(server, client);
      server.on('error', reject);
      // The server's own reason comes first where it has one
      client.on('error', (error) => setImmediate(reject, error));
      client.on('secureConnect', resolve);
    });
    return undefined;
  } catch (error) {
    return reasonOf(error);
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  }
}

/** Two streams, each of which reads what the other writes. */
function pipe(): [Duplex, Duplex] {
  const end = (other: () => Duplex) =>
    new Duplex({
      read: () => undefined,
      write(chunk, _, done) {
        other().push(chunk);
        done();
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const near: Duplex = end(() => far);
  const far: Duplex = end(() => near);
  // Both ends are given up at once; what was still under way matters to nobody
  for (const one of [near, far]) one.on('error', () => undefined);
  return [near, far];
}

/** OpenSSL's short reason, such as `ca key too small`; the rest of its text has addresses in it. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string')
    return error.reason;
  return error instanceof Error ? error.message : String(error);
}
