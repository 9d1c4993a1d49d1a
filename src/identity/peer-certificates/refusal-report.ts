import type { Log } from '../../core/log.ts';
import { type Certificate, subjectText } from '../../x509/certificate.ts';
import type { LoginAudit } from '../login-audit.ts';
import type { PeerChains } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';
import { RefusedClients } from './refused-clients.ts';

export interface RefusalReportOptions {
  /** Told of clients whose connections end because of their certificates, before any request asks for their logins. */
  readonly logins: Pick<LoginAudit, 'login'>;
  /** Milliseconds since 1970, by the clock of the device. */
  readonly now: () => number;
  readonly log: Log;
}

/** Tells of clients that are refused because of their certificates, of each connection once. */
export class RefusalReport {
  /** Clients that were refused in the handshake or at a login, the last ones. */
  readonly clients = new RefusedClients();
  readonly #options: RefusalReportOptions;
  readonly #chains: PeerChains;
  readonly #reported = new WeakSet<object>();

  constructor(options: RefusalReportOptions, chains: PeerChains) {
    this.#options = options;
    this.#chains = chains;
  }

  /** A certificate that a client showed, and that logs it in nowhere. */
  refused(connection: object, refusal: Refusal, certificate: Certificate | undefined): void {
    if (this.#reported.has(connection)) return;
    this.listed(connection, refusal, certificate);
    this.#options.log.warn('client certificate refused', {
      reason: refusal,
      subject: certificate ? subjectText(certificate) : '',
      fingerprint: certificate?.fingerprint ?? '',
    });
  }

  /** A connection that is for the list of refused clients alone. */
  listed(connection: object, refusal: Refusal, certificate?: Certificate): void {
    this.#reported.add(connection);
    const address = this.#chains.addressOf(connection);
    this.clients.add(this.#options.now(), refusal, address, certificate);
  }

  /** A connection that ends because of the certificate. */
  ended(connection: object, refusal: Refusal): void {
    const address = this.#chains.addressOf(connection);
    const attempt = { userName: '', address, method: 'certificate', connection } as const;
    this.#options.logins.login(attempt, refusal);
  }
}
