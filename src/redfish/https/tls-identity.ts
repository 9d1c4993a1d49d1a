import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Log } from '../../platform/log.ts';

/** Mozilla's "intermediate" profile: TLS 1.3, and 1.2 with forward secrecy and AEAD only. */
export const tlsProfile = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  ecdhCurve: 'X25519:prime256v1:secp384r1',
} as const satisfies SecureContextOptions;

/** @throws when the file is absent or holds nothing that OpenSSL can serve */
export function readTlsIdentity(path: string): SecureContextOptions {
  const pem = readFileSync(path, 'utf8');
  // A context made of empty text would be accepted, and every handshake with it would fail
  if (!new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))) {
    throw new Error('the key is not that of the certificate');
  }
  const options = { ...tlsProfile, key: pem, cert: pem };
  createSecureContext(options);
  return options;
}

/**
 * Waits for the manager, which makes a certificate when there is none that can be served.
 * @throws the last fault when the time is over
 */
export async function waitForTlsIdentity(path: string, milliseconds: number): Promise<void> {
  const pause = 100;
  for (let waited = 0; ; waited += pause) {
    try {
      readTlsIdentity(path);
      return;
    } catch (error) {
      if (waited >= milliseconds) throw error;
    }
    await sleep(pause);
  }
}

/**
 * Keeps a server's certificate in step with its file. The file is looked at whenever a client connects,
 * before its handshake, so that whoever connects after the file was replaced sees the new certificate,
 * even before a signal arrives. Open connections go on; a file that cannot be served changes nothing.
 */
export function followTlsIdentity(server: Server, path: string, log: Log): void {
  let served = stampOf(path);
  server.prependListener('connection', () => {
    const found = stampOf(path);
    if (found === served || found === undefined) return;
    served = found;
    try {
      server.setSecureContext(readTlsIdentity(path));
      log.info('TLS certificate changed', { path });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error('TLS certificate cannot be served, the old one stays', { path, reason });
    }
  });
}

/** What tells one version of a file from another; a rename always changes the inode. */
function stampOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
}
