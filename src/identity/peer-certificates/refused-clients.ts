import { addressGroup } from '../../core/client-address.ts';
import { type Certificate, subjectText } from '../../x509/certificate.ts';
import type { Refusal } from './refusal.ts';
import { formatTlsFingerprint, tlsFingerprintOf } from './tls-fingerprint.ts';

/** A client that was refused in its handshake or at its login with a certificate. */
export interface RefusedClient {
  /** Milliseconds since 1970 of the last time. */
  readonly at: number;
  /** How many connections were refused for the same reason, from the same address, with the same certificate. */
  readonly count: number;
  readonly reason: Refusal;
  readonly address: string;
  /** Of the client's own certificate; empty where there is none. What the client wrote is cut and escaped. */
  readonly subject: string;
  /** As `x509c2n:tls-fingerprint`, ready to be put into the configuration; empty where there is none. */
  readonly fingerprint: string;
}

const usualLimits = { entries: 100, perAddress: 10 };

/** The last clients that were refused, so that an administrator can see why a client does not get in. */
export class RefusedClients {
  readonly #limits: typeof usualLimits;
  readonly #entries = new Map<string, RefusedClient>();

  /** @param limits in all, and of one address (of IPv6 its /64), so that no attacker moves all others out */
  constructor(limits = usualLimits) {
    this.#limits = limits;
  }

  /** @param at milliseconds since 1970 */
  add(at: number, reason: Refusal, address: string, certificate: Certificate | undefined): void {
    const fingerprint = certificate ? formatTlsFingerprint(tlsFingerprintOf(certificate)) : '';
    // A client that tries again and again moves none of the others out
    const key = [reason, address, fingerprint].join(' ');
    const count = (this.#entries.get(key)?.count ?? 0) + 1;
    this.#entries.delete(key);
    const subject = certificate ? subjectText(certificate) : '';
    this.#entries.set(key, { at, count, reason, address, subject, fingerprint });
    const group = addressGroup(address);
    const keys = [...this.#entries.keys()];
    const ofGroup = keys.filter(
      (one) => addressGroup(this.#entries.get(one)?.address ?? '') === group,
    );
    // Maps keep the order of their insertions, so the first ones are the oldest
    const { entries, perAddress } = this.#limits;
    const surplus = ofGroup.length > perAddress ? ofGroup : keys.length > entries ? keys : [];
    for (const oldest of surplus.slice(0, 1)) this.#entries.delete(oldest);
  }

  /** The newest first. */
  list(): readonly RefusedClient[] {
    return [...this.#entries.values()].reverse();
  }
}
