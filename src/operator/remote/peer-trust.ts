import type { X509Certificate } from 'node:crypto';
import { SetupError } from '../../core/setup-error.ts';
import { CommandError } from '../framework/exit-status.ts';
import { visible } from '../framework/fields.ts';
import type { KnownHosts } from './known-hosts.ts';

/** What a service shows in a handshake. */
export interface Peer {
  readonly certificate: X509Certificate;
  /** Why the authorities that were given do not vouch for it under this name; empty where they do. */
  readonly fault: string;
}

export interface TrustOptions {
  /** `HOST:PORT` */
  readonly host: string;
  /** Whether authorities were given, which then decide alone. */
  readonly hasAuthorities: boolean;
  /** In the form of OpenSSL. */
  readonly fingerprint: string | undefined;
  readonly knownHosts: KnownHosts;
  /** Asks a person a question that yes or no answers; absent where no person can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Told of a fingerprint that cannot be remembered, which keeps no command from its work. */
  readonly warn: (text: string) => void;
}

/**
 * Decides whether a service is the one that is meant, before anything secret is sent to it: by the authorities that were
 * given, else by its fingerprint, as it was given, or confirmed by a person at the first use.
 */
export class PeerTrust {
  readonly #options: TrustOptions;
  /** Empty until the first decision. */
  #accepted: readonly string[] = [];
  /** What this program put into service itself. */
  #installed: string | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** @throws CommandError `untrusted` */
  async accept({ certificate, fault }: Peer): Promise<void> {
    const shown = certificate.fingerprint256;
    if (shown === this.#installed) return;
    const { host, hasAuthorities } = this.#options;
    if (hasAuthorities) {
      if (fault === '') return;
      const message = `The certificate of ${host} is not to be trusted: ${fault}; look at --cacert, and at the name in --url.`;
      throw new CommandError('untrusted', message);
    }
    if (this.#accepted.length === 0) this.#accepted = await this.#decide(certificate);
    if (!this.#accepted.includes(shown)) throw changed(host, shown, this.#accepted);
  }

  async #decide(certificate: X509Certificate): Promise<readonly string[]> {
    const { host, fingerprint, knownHosts, confirm } = this.#options;
    const shown = certificate.fingerprint256;
    const known = await knownHosts.fingerprintsOf(host);
    if (fingerprint !== undefined) {
      if (shown !== fingerprint) throw changed(host, shown, [fingerprint]);
    } else if (known.length > 0) {
      return known;
    } else if (!confirm) {
      throw new CommandError(
        'untrusted',
        `${host} is not known yet. It shows a certificate with the SHA-256 fingerprint ${shown}: if bmc-certs show server/https tells the same on the device, give --fingerprint ${shown}; or give its CA with --cacert FILE.`,
      );
    } else if (!(await confirm(introduction(host, certificate)))) {
      throw new CommandError('untrusted', `${host} is not trusted. Nothing was sent to it.`);
    }
    if (!known.includes(shown)) await this.#remember([shown]);
    return [shown];
  }

  async #remember(fingerprints: readonly string[]): Promise<void> {
    const { host, knownHosts, warn } = this.#options;
    try {
      await knownHosts.remember(host, fingerprints);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      warn(`${host} is not remembered: ${error.message}`);
    }
  }

  /** From now on the service may show this certificate, too, which this program put there. */
  expect(fingerprint: string): void {
    this.#installed = fingerprint;
  }

  /**
   * Remembers the installed certificate after a handshake; others are left to the next use to refuse.
   * @param isTrial the certificate of before may come back
   */
  async settle(shown: string, isTrial: boolean): Promise<void> {
    const installed = this.#installed;
    if (this.#options.hasAuthorities || installed === undefined) return;
    const isSwitched = shown === installed && !isTrial;
    const before = isSwitched ? [] : this.#accepted.filter((one) => one !== installed);
    this.#accepted = [...before, installed];
    await this.#remember(this.#accepted);
  }
}

function changed(host: string, shown: string, expected: readonly string[]): CommandError {
  return new CommandError(
    'untrusted',
    `${host} SHOWS ANOTHER CERTIFICATE than the one that is trusted: its SHA-256 fingerprint is ${shown}, and not ${expected.join(' or ')}. Another machine may be in between, or another program has replaced the certificate. No password was sent. Only if you know that the certificate is right, give --fingerprint ${shown}.`,
  );
}

function introduction(host: string, certificate: X509Certificate): string {
  const nameOf = (text: string) => visible(text.replaceAll('\n', ', '));
  return [
    `${host} is not known yet. It shows this certificate:`,
    `  Subject  ${nameOf(certificate.subject)}`,
    `  Issuer   ${nameOf(certificate.issuer)}`,
    `  Valid    ${certificate.validFrom} to ${certificate.validTo}`,
    `  SHA-256  ${certificate.fingerprint256}`,
    'On the device, bmc-certs show server/https tells the fingerprint.',
    'Is this the service that you mean? Type yes or no: ',
  ].join('\n');
}
