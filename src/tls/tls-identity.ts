import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { stampOf } from '../durable/file-stamp.ts';
import type { Log } from '../platform/log.ts';
import { profileOptions, type TlsProfileName } from './profile.ts';

/** The authorities that a server asks clients for certificates of. */
export interface ClientAuthorities {
  /** PEM of each; `undefined` when clients are asked for none. */
  authorities(): readonly string[] | undefined;
}

export interface TlsSettings {
  /** The PEM file with the key and the certificate. */
  readonly path: string;
  readonly profile: TlsProfileName;
  /** After this time the keys of session tickets are new ones. */
  readonly ticketMilliseconds: number;
  readonly clients?: ClientAuthorities;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/** @throws when the file is absent or holds nothing that OpenSSL can serve */
export function readTlsIdentity(path: string, profile: TlsProfileName): SecureContextOptions {
  const pem = readFileSync(path, 'utf8');
  // A context made of empty text would be accepted, and every handshake with it would fail
  if (!new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))) {
    throw new Error('the key is not that of the certificate');
  }
  const options = { ...profileOptions(profile), key: pem, cert: pem };
  createSecureContext(options);
  return options;
}

/**
 * Waits for the manager, which makes a certificate when there is none that can be served.
 * @throws the last fault when the time is over
 */
export async function waitForTlsIdentity(
  path: string,
  profile: TlsProfileName,
  milliseconds: number,
): Promise<void> {
  const pause = 100;
  for (let waited = 0; ; waited += pause) {
    try {
      readTlsIdentity(path, profile);
      return;
    } catch (error) {
      if (waited >= milliseconds) throw error;
    }
    await sleep(pause);
  }
}

/**
 * Keeps what a server shows in step with its file, and whom it trusts in step with the authorities.
 * Both are looked at whenever a client connects, before its handshake, so that whoever connects after
 * a change meets it, even before a signal arrives. Each change makes a new context with new ticket keys,
 * so no session outlives it. Open connections go on; a file that cannot be served changes nothing.
 * @throws when the file cannot be served now
 */
export function followTlsIdentity(server: Server, settings: TlsSettings): void {
  const { path, profile, ticketMilliseconds, clients, monotonic, log } = settings;
  // The stamp first: a file that is replaced in between is then read again
  let served = stampOf(path);
  let identity = readTlsIdentity(path, profile);
  let authorities = clients?.authorities();
  let made = monotonic();

  const refreshIdentity = (): boolean => {
    let found: string | undefined;
    try {
      found = stampOf(path);
      if (found === served || found === undefined) return false;
      identity = readTlsIdentity(path, profile);
      served = found;
      log.info('TLS certificate changed', { path });
      return true;
    } catch (error) {
      // What could not be read is looked at again, what was read is what it is
      if (!isOfTheSystem(error)) served = found;
      const reason = reasonOf(error);
      log.error('TLS certificate cannot be served, the old one stays', { path, reason });
      return false;
    }
  };
  const refreshAuthorities = (): boolean => {
    const found = clients?.authorities();
    if (sameList(found, authorities)) return false;
    authorities = found;
    return true;
  };
  const use = (asked: readonly string[] | undefined) => {
    const options =
      asked === undefined
        ? identity
        : // Without `ca` Node would trust the public authorities that it carries. A resumed session
          // shows no chain and keeps the verdict of its first handshake, so there are none.
          { ...identity, ...profileOptions(profile, false), ca: [...asked] };
    server.setSecureContext(options);
    // Node has no call for it but reads this for each connection
    Object.assign(server, { requestCert: asked !== undefined, rejectUnauthorized: false });
    made = monotonic();
  };
  const apply = () => {
    try {
      use(authorities);
    } catch (error) {
      log.error('clients are asked for no certificate', { reason: reasonOf(error) });
      use(undefined);
    }
  };

  apply();
  server.prependListener('connection', () => {
    const changed = [refreshIdentity(), refreshAuthorities()].includes(true);
    if (changed || monotonic() - made >= ticketMilliseconds) apply();
  });
}

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && a.length === b?.length && a.every((one, at) => one === b[at]);
}

/** Such as a lack of descriptors; errors of OpenSSL have no number. */
function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'errno' in error;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
