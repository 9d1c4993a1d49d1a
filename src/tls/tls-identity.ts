import type { Server } from 'node:tls';
import { reasonOf } from '../core/cert-error.ts';
import type { Log } from '../core/log.ts';
import { contextOptions } from './credential.ts';
import { holdConnections } from './held-connections.ts';
import { profileOptions, type TlsProfileName } from './profile.ts';
import type { ServerIdentity } from './server-identity.ts';

/** The authorities that a server asks clients for certificates of. */
export interface ClientAuthorities {
  /** PEM of each; `undefined` when clients are asked for none. */
  authorities(): readonly string[] | undefined;
}

export interface TlsSettings {
  readonly identity: ServerIdentity;
  readonly profile: TlsProfileName;
  /** After this time the keys of session tickets are new ones. */
  readonly ticketMilliseconds: number;
  readonly clients?: ClientAuthorities | undefined;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  readonly log: Log;
}

/**
 * Keeps what a server shows in step with its identity, and whom it trusts in step with the authorities.
 * Both are looked at whenever a client connects, before its handshake, so that a client that connects after
 * a change meets it, even before a signal arrives. Each change makes a new context with new ticket keys,
 * so no session outlives it. Open connections go on.
 * @returns the authorities that clients are asked for certificates of
 */
export function followTlsIdentity(server: Server, settings: TlsSettings): ClientAuthorities {
  const { identity, profile, ticketMilliseconds, clients, monotonic, log } = settings;
  let { credential } = identity;
  let authorities = clients?.authorities();
  let asked: readonly string[] | undefined;
  let made = monotonic();

  const refreshCredential = (): boolean => {
    const changed = identity.credential !== credential;
    credential = identity.credential;
    return changed;
  };
  const refreshAuthorities = (): boolean => {
    const found = clients?.authorities();
    if (sameList(found, authorities)) return false;
    authorities = found;
    return true;
  };
  const use = (wanted: readonly string[] | undefined) => {
    server.setSecureContext({
      ...contextOptions(credential),
      // A resumed session shows no chain and keeps the verdict of its first handshake, so there are none
      ...profileOptions(profile, wanted === undefined),
      // Without `ca` Node would trust the public authorities that it carries, and send those of the chain
      ca: [...(wanted ?? [])],
    });
    // Node has no call for it but reads this for each connection
    Object.assign(server, { requestCert: wanted !== undefined, rejectUnauthorized: false });
    asked = wanted;
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
  holdConnections(server, () => identity.refresh());
  server.prependListener('connection', () => {
    const changed = [refreshCredential(), refreshAuthorities()].includes(true);
    if (changed || monotonic() - made >= ticketMilliseconds) apply();
  });
  return { authorities: () => asked };
}

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && a.length === b?.length && a.every((one, at) => one === b[at]);
}
