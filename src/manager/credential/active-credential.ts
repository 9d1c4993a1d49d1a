import { CertError } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import { publicKeyHash, publicKeyInfo } from '../../x509/keys.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { EndpointEvent } from '../endpoint-event.ts';
import { ExpiryWatch } from '../expiry.ts';
import type { InstalledCertificate } from '../installed-certificate.ts';
import { pairText } from './credential-file.ts';

const onlyId = '1';

/** The certificate and key that a server or client endpoint publishes now, and who hears of it. */
export class ActiveCredential {
  readonly listeners: Listeners<EndpointEvent>;
  readonly #expiry: ExpiryWatch;
  readonly #now: () => number;
  #pair: CredentialCandidate | undefined;
  #text: string | undefined;

  readonly #log: EventLog;

  constructor({ log, expiryThresholds, now }: EndpointDependencies) {
    this.#log = log;
    this.listeners = new Listeners(log);
    this.#expiry = new ExpiryWatch(expiryThresholds);
    this.#now = now;
  }

  get pair(): CredentialCandidate | undefined {
    return this.#pair;
  }

  /** What stands in the file as far as the manager knows. */
  get text(): string | undefined {
    return this.#text;
  }

  /** Whether the file is just as the manager writes it. */
  get isOwnForm(): boolean {
    return this.#text === (this.#pair && pairText(this.#pair));
  }

  /** Hash of the public key, under which a request for it would wait. */
  get keyHash(): string | undefined {
    return this.#pair && publicKeyHash(publicKeyInfo(this.#pair.leaf.publicKey));
  }

  list(): readonly InstalledCertificate[] {
    return this.#pair ? [asInstalled(this.#pair)] : [];
  }

  /** @throws CertError `not-found` */
  mustBe(id: string): void {
    if (id === onlyId && this.#pair) return;
    throw new CertError('not-found', `there is no certificate ${id}`);
  }

  /** @param text what stands in the file, where that is not the manager's own form */
  publish(pair: CredentialCandidate | undefined, text = pair && pairText(pair)): void {
    const previous = this.#pair && asInstalled(this.#pair);
    const installed = pair && asInstalled(pair);
    this.#pair = pair;
    this.#text = text;
    this.#logFindings(pair);
    if (previous && installed) this.listeners.tell({ kind: 'changed', installed, previous });
    else if (installed) this.listeners.tell({ kind: 'added', installed });
    else if (previous) this.listeners.tell({ kind: 'removed', installed: previous });
    this.tellExpiry();
  }

  /** The file has the manager's own form again, and nothing else changed. */
  noteRestored(): void {
    this.#text = this.#pair && pairText(this.#pair);
  }

  #logFindings(pair: CredentialCandidate | undefined): void {
    const { warnings = [], leftOut = [] } = pair?.findings ?? {};
    for (const { code, text } of warnings)
      this.#log.warn('certificate in service with a warning', { code, reason: text });
    for (const { subject, reason } of leftOut)
      this.#log.warn('certificate of the file left out', { subject, reason });
  }

  tellExpiry(): void {
    const news = this.#expiry.look(this.list(), this.#now());
    for (const one of news) this.listeners.tell({ kind: 'expiry', ...one });
  }
}

export function asInstalled({ leaf, chain, findings }: CredentialCandidate): InstalledCertificate {
  return { id: onlyId, certificate: leaf, chain, ...(findings && { findings }) };
}
