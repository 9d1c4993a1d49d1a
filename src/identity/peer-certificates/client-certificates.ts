import type { RequestListener } from 'node:http';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { AccessSettings, CertificateLogin } from '../accounts/access-settings.ts';
import type { User } from '../accounts/user-directory.ts';
import type { AccountCertificates } from './account-certificates.ts';
import type { TrustLists } from './chain.ts';
import type { ClientConnectionsOptions } from './client-connections.ts';
import type { ClientIdentities } from './client-identities.ts';
import { type Login, PeerCertificates, type PeerCertificatesOptions } from './peer-certificates.ts';
import type { Refusal } from './refusal.ts';
import { readTrust, type TrustChange, type TrustEndpoints, trustAfter } from './trust.ts';

export interface ClientCertificatesOptions
  extends Pick<PeerCertificatesOptions, 'findUser' | 'limits' | 'logins' | 'now' | 'log'>,
    Pick<ClientConnectionsOptions, 'cutMilliseconds'> {
  readonly client: CertificateClient;
  readonly endpoints: TrustEndpoints;
  readonly settings: AccessSettings;
  /** What the mapping `Whole` looks into. */
  readonly accountCertificates: AccountCertificates;
  readonly hostName: () => string;
  /** An operator on the device lets all clients reach the other ways to log in. */
  readonly alwaysRespond: boolean;
}

/** Clients with certificates as the settings of Redfish have it, which clients may change. */
export class ClientCertificates {
  readonly peers: PeerCertificates;
  readonly #options: ClientCertificatesOptions;

  constructor(options: ClientCertificatesOptions) {
    const { client, endpoints, settings, accountCertificates, hostName } = options;
    this.#options = options;
    this.peers = new PeerCertificates({
      ...options,
      get cutMilliseconds() {
        return options.cutMilliseconds;
      },
      trust: () => readTrust(client, endpoints),
      subscribe: (listener) => client.subscribe(listener),
      identities: () => identitiesOf(settings.clientCertificates.mapping),
      mapping: { hostName, ownerOf: (certificate) => accountCertificates.ownerOf(certificate) },
      asks: () => settings.clientCertificates.enabled,
      requires: () => !this.responds(),
    });
  }

  get settings(): AccessSettings {
    return this.#options.settings;
  }

  /**
   * Whether clients without a valid certificate are served. An empty truststore could let in no client at all,
   * so then they are; so it is with `Whole` when no account has a certificate.
   */
  responds(trust: TrustLists | undefined = this.peers.judge.trust()): boolean {
    const { enabled, respond, mapping } = this.settings.clientCertificates;
    const { alwaysRespond, accountCertificates } = this.#options;
    if (respond || !enabled || alwaysRespond || trust?.trusted.length === 0) return true;
    return mapping === 'Whole' && accountCertificates.kept.length === 0;
  }

  /** Whether a change would leave only clients with certificates served, and this one not among them. */
  locksOut(change: TrustChange, shown: readonly Certificate[] = []): boolean {
    const { client, endpoints } = this.#options;
    const trust = trustAfter(client, endpoints, change);
    return !!trust && !this.responds(trust) && !this.peers.judge.isTrustedAfter(shown, trust);
  }

  /** Whose a certificate of a connection is: the user that it names, or the account that has it. */
  userOf(certificate: Certificate, mapping: CertificateLogin['mapping']): Promise<User | Refusal> {
    return this.peers.userOf([certificate], identitiesOf(mapping));
  }

  login(connection: object): Promise<Login | undefined> {
    return this.peers.login(connection);
  }

  /** Serves nothing to clients without a valid certificate while the settings say so. */
  guard(app: RequestListener): RequestListener {
    return (req, res) => {
      if (this.responds()) {
        app(req, res);
        return;
      }
      this.#mayEnter(req.socket)
        .catch(() => false)
        .then((allowed) => (allowed ? app(req, res) : req.socket.destroy()));
    };
  }

  /** Certificates were taken away from their accounts. */
  cut(gone: readonly Certificate[]): void {
    if (this.settings.clientCertificates.mapping === 'Whole') this.peers.connections.cut(gone);
  }

  async #mayEnter(connection: object): Promise<boolean> {
    const login = await this.login(connection);
    if (login && 'refusal' in login) this.peers.report.ended(connection, login.refusal);
    return login !== undefined && 'account' in login;
  }
}

/** What Redfish sets is one way to find the name for all certificates. */
function identitiesOf(mapping: CertificateLogin['mapping']): ClientIdentities {
  return { certToName: [], defaultIdentity: { mapType: mapping } };
}
