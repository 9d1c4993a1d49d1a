import type {
  CSRParams,
  LoadCertificateRequest,
  Certificate as SentCertificate,
} from '../../../schemas/generated/gnoi/cert_pb.js';
import { reasonOf } from '../../core/cert-error.ts';
import { isClockSet } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { missingNames } from '../../manager/checks/names.ts';
import { type Certificate, subjectText } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { CertificateStore, StoreChange, Trial } from '../certificate-store.ts';
import type { Rotations } from '../rotations.ts';
import { StatusError } from '../rpc/status.ts';
import { checkId } from './certificate-id.ts';
import { type LoadRequest, readAuthorities, readLoadRequest } from './load-request.ts';
import { requestParameters } from './request-parameters.ts';
import { checkBundle, isVerified } from './verification.ts';

export type Place = NonNullable<StoreChange['certificate']>['place'];

export interface WorkSettings {
  /** Whether a certificate must lead to a CA that is known. */
  readonly verify: boolean;
  /** Of the names of all CAs of the bundle. */
  readonly nameBytes: number;
  /** How long a rotation is on trial. */
  readonly finalizeSeconds: number;
  /** How much of a certificate is read. */
  readonly content: ContentLimits;
}

export interface WorkOptions {
  readonly store: CertificateStore;
  readonly settings: () => WorkSettings;
  readonly rotations: Rotations;
  readonly hostName: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves when a new connection meets the certificate, where it is the one that this service shows. */
  readonly shown: (id: string, certificate: Certificate) => Promise<void>;
  readonly log: Log;
}

/** A change that is not on trial is committed as soon as it is in service; a fault in between undoes it. */
const shortTrialSeconds = 60;

/** What the calls do with certificates, whatever the order in which they come. */
export class CertificateWork {
  readonly #options: WorkOptions;
  /** Names of the CSRs whose certificates have not come, by id. */
  readonly #asked = new Map<string, readonly string[]>();

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** @throws StatusError, and CertError where a certificate cannot be read */
  read(request: LoadCertificateRequest): LoadRequest {
    return readLoadRequest(request, this.#options.settings().content);
  }

  /** Makes a key and its CSR. @returns PEM */
  async request(id: string, params: CSRParams | undefined, place: Place): Promise<string> {
    const { store, hostName } = this.#options;
    checkId(id);
    const parameters = requestParameters(params, hostName);
    this.#checkPlace(id, place);
    const pem = await store.makeRequest(id, parameters);
    this.#asked.set(id, parameters.AlternativeNames);
    return pem;
  }

  /** Puts a certificate into service, and the bundle that came along, for good. */
  async load(load: LoadRequest, place: Place): Promise<void> {
    await this.#commit(await this.#tryOut(load, place, shortTrialSeconds));
  }

  /** The same on trial. */
  async tryOut(load: LoadRequest): Promise<Trial> {
    const { store, settings, rotations } = this.#options;
    if (load.authorities && store.authorities().length === 0)
      throw new StatusError(
        'FAILED_PRECONDITION',
        'a rotation cannot bring the first bundle, which would change how clients are authenticated',
      );
    const trial = await this.#tryOut(load, 'taken', settings().finalizeSeconds);
    rotations.add(load.id, trial);
    return trial;
  }

  /** Puts a bundle in the place of the one that there is. */
  async loadBundle(sent: readonly SentCertificate[]): Promise<void> {
    const authorities = readAuthorities(sent, this.#options.settings().content);
    this.#checkBundle(authorities);
    await this.#commit(await this.#options.store.tryOut({ authorities }, shortTrialSeconds));
  }

  async #tryOut(load: LoadRequest, place: Place, seconds: number): Promise<Trial> {
    const { store, shown } = this.#options;
    const { id, certificate, chain, key = '', authorities } = load;
    checkId(id);
    this.#checkPlace(id, place);
    if (authorities) this.#checkBundle(authorities);
    this.#checkCertificate(load);
    const pem = [key, ...[certificate, ...chain].map((one) => one.pem)].join('');
    const change = { certificate: { id, place, pem }, ...(authorities && { authorities }) };
    const trial = await store.tryOut(change, seconds);
    try {
      await shown(id, certificate);
      this.#compareNames(load);
      return trial;
    } catch (error) {
      await this.rollback(trial);
      throw error;
    }
  }

  async #commit(trial: Trial): Promise<void> {
    try {
      await trial.commit();
    } catch (error) {
      await this.rollback(trial);
      throw error;
    }
  }

  /** Never rejects: what cannot be undone now is undone by the store in time. */
  async rollback(trial: Trial): Promise<void> {
    await trial.rollback().catch((error: unknown) => {
      this.#options.log.error('change not undone yet', { reason: reasonOf(error) });
    });
  }

  /** Never rejects: a key that stays is given up by the manager in time. */
  async discard(id: string): Promise<void> {
    this.#asked.delete(id);
    await this.#options.store.discardRequests(id).catch((error: unknown) => {
      this.#options.log.warn('key not given up yet', { id, reason: reasonOf(error) });
    });
  }

  /** A CA may give other names than were asked for; clients that go by these are going to refuse the service. */
  #compareNames({ id, certificate, key }: LoadRequest): void {
    const asked = key === undefined ? (this.#asked.get(id) ?? []) : [];
    this.#asked.delete(id);
    const missing = missingNames(certificate, asked);
    if (missing.length === 0) return;
    this.#options.log.warn('certificate without names of its CSR', {
      id,
      missing: missing.join(' '),
    });
  }

  #checkPlace(id: string, place: Place): void {
    const isTaken = this.#options.store.certificates().some((one) => one.id === id);
    if (place === 'new' && isTaken)
      throw new StatusError('ALREADY_EXISTS', `there is a certificate with the id ${id}`);
    if (place === 'taken' && !isTaken)
      throw new StatusError('NOT_FOUND', `there is no certificate with the id ${id}`);
  }

  #checkCertificate({ certificate, chain, authorities }: LoadRequest): void {
    const { store, settings, now } = this.#options;
    const name = subjectText(certificate);
    const seconds = now() / 1000;
    // A clock that was never set must not keep a device from its certificate
    if (isClockSet(now()) && certificate.notBefore > seconds)
      throw new StatusError('INVALID_ARGUMENT', `${name} is not valid yet`);
    if (certificate.notAfter < seconds)
      throw new StatusError('INVALID_ARGUMENT', `${name} has expired`);
    if (!settings().verify) return;
    const roots = [...(authorities ?? store.authorities()), ...store.anchors()];
    if (!isVerified(certificate, chain, roots, this.#judgedAt(certificate)))
      throw new StatusError('FAILED_PRECONDITION', `no known CA verifies ${name}`);
  }

  #checkBundle(authorities: readonly Certificate[]): void {
    const [first] = authorities;
    if (!first) throw new StatusError('INVALID_ARGUMENT', 'ca_certificates is empty');
    checkBundle(authorities, this.#options.settings().nameBytes, this.#judgedAt(first));
  }

  /** In seconds since 1970: without a clock, a moment at which what came is valid. */
  #judgedAt({ notBefore }: Certificate): number {
    const now = this.#options.now();
    return isClockSet(now) ? now / 1000 : Math.max(notBefore, now / 1000);
  }
}
