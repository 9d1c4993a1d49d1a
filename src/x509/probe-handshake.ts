import { duplexPair } from 'node:stream';
import {
  connect,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  TLSSocket,
} from 'node:tls';
import { reasonOf } from '../core/cert-error.ts';

/** A client that takes whatever a server shows, so that a failure is the server's. */
const lenientClient = {
  // Without it Node would load the public authorities that it carries
  ca: [] as string[],
  ciphers: 'ALL:@SECLEVEL=0',
  sigalgs: [
    ...['ECDSA+SHA256', 'ECDSA+SHA384', 'ECDSA+SHA512', 'ed25519', 'ed448'],
    ...['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
    ...['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'],
    ...['RSA+SHA256', 'RSA+SHA384', 'RSA+SHA512', 'ECDSA+SHA1', 'RSA+SHA1'],
  ].join(':'),
  rejectUnauthorized: false,
};

/** Far above the slowest signature of a small device; nothing but a defect reaches it. */
const maxMilliseconds = 30_000;

/**
 * Serves a handshake in memory. Nothing less tells whether a certificate can be served: OpenSSL judges the
 * security level of a chain, and whether the key has a signature scheme, when it builds its answer to a client.
 * @param options of a server, with its key, its certificates and its versions
 * @param version that the client speaks, and no other
 * @returns OpenSSL's reason when the server refuses, `undefined` when the client gets the certificate
 */
export async function probeHandshake(
  options: SecureContextOptions,
  version: SecureVersion,
): Promise<string | undefined> {
  try {
    // Without `ca` Node would load the public authorities that it carries
    return await handshake(createSecureContext({ ca: [], ...options }), version);
  } catch (error) {
    return opensslReason(error);
  }
}

function handshake(
  secureContext: SecureContext,
  version: SecureVersion,
): Promise<string | undefined> {
  const [near, far] = duplexPair();
  return new Promise((resolve) => {
    const server = new TLSSocket(near, { isServer: true, secureContext });
    const versions = { minVersion: version, maxVersion: version };
    const client = connect({ socket: far, ...lenientClient, ...versions });
    const end = (fault?: string) => {
      clearTimeout(timer);
      for (const stream of [client, server, far, near]) stream.destroy();
      resolve(fault);
    };
    const timer = setTimeout(() => end('the handshake does not end'), maxMilliseconds);
    server.on('error', (error) => end(opensslReason(error)));
    // The client learns no more than an alert of what the server is about to say in full
    client.on('error', (error) => setImmediate(end, opensslReason(error)));
    client.once('close', () => end('the handshake was broken off'));
    client.once('secureConnect', () => end());
  });
}

/** OpenSSL's reason alone: the rest of its message are places in its source. */
/** In OpenSSL's words, without where in its source they stand. */
function opensslReason(error: unknown): string {
  const reason: unknown = error instanceof Error ? Reflect.get(error, 'reason') : undefined;
  return typeof reason === 'string' ? reason : reasonOf(error);
}
