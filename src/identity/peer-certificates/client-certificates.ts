import type { RequestListener } from 'node:http';
import type { Certificate } from '../../x509/certificate.ts';
import type { AccessSettings, CertificateLogin } from '../accounts/access-settings.ts';
import type { User } from '../accounts/user-directory.ts';
import type { AccountCertificates } from './account-certificates.ts';
import { ChainJudge, type ChainJudgeOptions } from './chain-judge.ts';
import { ClientConnections, type ClientConnectionsOptions } from './client-connections.ts';
import type { ClientIdentities } from './client-identities.ts';
import { type Explanation, explainLogin, type FindUser, userOf } from './explain.ts';
import type { MappingContext } from './map-types.ts';
import { mapToName } from './mapping.ts';
import { type PeerChainLimits, PeerChains } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';
import { RefusalReport, type RefusalReportOptions } from './refusal-report.ts';
import { HandshakeAuthorities, type TrustChange, trustAfter } from './trust.ts';

export interface ClientCertificatesOptions
  extends ChainJudgeOptions,
    ClientConnectionsOptions,
    RefusalReportOptions {
  readonly client: ChainJudgeOptions['client'];
  readonly settings: AccessSettings;
  /** What the mapping `Whole` looks into. */
  readonly accountCertificates: AccountCertificates;
  readonly findUser: FindUser;
  readonly hostName: () => string;
  readonly limits: PeerChainLimits & { readonly nameBytes: number };
  /** An operator on the device lets all clients reach the other ways to log in. */
  readonly alwaysRespond: boolean;
}

/** What a connection's certificate is good for. */
export type Login =
  | {
      readonly account: User;
      readonly certificate: Certificate;
      readonly shown: readonly Certificate[];
    }
  | { readonly refusal: Refusal };

/** Logs clients in by the certificates of their connections, as the lists and settings are now. */
export class ClientCertificates {
  readonly connections: ClientConnections;
  readonly #options: ClientCertificatesOptions;
  readonly #chains: PeerChains;
  readonly #judge: ChainJudge;
  readonly #report: RefusalReport;
  readonly #authorities: HandshakeAuthorities;
  readonly #suspended = new WeakSet<object>();

  constructor(options: ClientCertificatesOptions) {
    this.#options = options;
    this.#chains = new PeerChains(options.limits);
    this.#judge = new ChainJudge(options);
    this.#report = new RefusalReport(options, this.#chains);
    this.#authorities = new HandshakeAuthorities(options.limits.nameBytes, options.log);
    this.connections = new ClientConnections(options, {
      chains: this.#chains,
      judge: this.#judge,
      report: this.#report,
      responds: () => this.responds(),
    });
  }

  get settings(): AccessSettings {
    return this.#options.settings;
  }

  /** Clients that were refused in the handshake or at a login, the last ones. */
  get refused() {
    return this.#report.clients;
  }

  /** PEM of the CAs that clients are asked for certificates of; `undefined` when clients are asked for none. */
  authorities(): readonly string[] | undefined {
    const { trusted = [] } = this.#judge.trust() ?? {};
    const { enabled } = this.settings.clientCertificates;
    return enabled && trusted.length > 0 ? this.#authorities.of(trusted) : undefined;
  }

  /**
   * Whether clients without a valid certificate are served. An empty truststore could let in no client at all,
   * so then they are; so it is with `Whole` when no account has a certificate.
   */
  responds(trust = this.#judge.trust()): boolean {
    const { enabled, respond, mapping } = this.settings.clientCertificates;
    const { alwaysRespond, accountCertificates } = this.#options;
    if (respond || !enabled || alwaysRespond || trust?.trusted.length === 0) return true;
    return mapping === 'Whole' && accountCertificates.kept.length === 0;
  }

  /** Whether a change would leave only clients with certificates served, and this one not among them. */
  locksOut(change: TrustChange, shown: readonly Certificate[] = []): boolean {
    const { client, endpoints } = this.#options;
    const trust = trustAfter(client, endpoints, change);
    return !!trust && !this.responds(trust) && !this.#judge.isTrustedAfter(shown, trust);
  }

  /**
   * @param identities another list than the setting of Redfish
   * @returns `undefined` when the client showed no certificate or is not to be asked for one
   */
  async login(
    connection: object,
    identities = this.#redfishIdentities(),
  ): Promise<Login | undefined> {
    const { enabled } = this.settings.clientCertificates;
    const chain = enabled ? this.#chains.of(connection) : undefined;
    if (!chain) return this.#suspended.has(connection) ? { refusal: 'suspended' } : undefined;
    const [certificate] = chain.certificates;
    const path = this.#judge.trustedPath(chain);
    const account = typeof path === 'string' ? path : await this.#userOf(path, identities);
    if (typeof account !== 'string' && certificate)
      return { account, certificate, shown: chain.certificates };
    const refusal = typeof account === 'string' ? account : 'unreadable';
    this.#report.refused(connection, refusal, certificate);
    return { refusal };
  }

  /** What the client showed; no chain is refused while the lists cannot be read. */
  shown(connection: object): { isRefused: boolean; bytes: number } | undefined {
    const chain = this.#chains.of(connection);
    if (!chain) return undefined;
    const refusal = this.#judge.refusalOf(chain);
    const bytes = chain.certificates.reduce((sum, { der }) => sum + der.length, 0);
    return { isRefused: refusal !== undefined && refusal !== 'unavailable', bytes };
  }

  /** The client of a connection was not asked for a certificate, and should know why it has no login. */
  suspend(connection: object): void {
    this.#suspended.add(connection);
  }

  /** Whose a certificate of a connection is: the user that it names, or the account that has it. */
  userOf(certificate: Certificate, mapping: CertificateLogin['mapping']): Promise<User | Refusal> {
    return this.#userOf([certificate], identitiesOf(mapping));
  }

  /**
   * What a login with a chain would come to now, without a login.
   * @param shown the client's own certificate first
   * @param identities another list than the setting of Redfish
   */
  explain(
    shown: readonly Certificate[],
    identities = this.#redfishIdentities(),
  ): Promise<Explanation> {
    const { findUser } = this.#options;
    const context = { ...this.#context(), findUser };
    return explainLogin(shown, this.#judge.trust(), this.#judge.pathLimits(), identities, context);
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
    if (this.settings.clientCertificates.mapping === 'Whole') this.connections.cut(gone);
  }

  async #mayEnter(connection: object): Promise<boolean> {
    const login = await this.login(connection);
    if (login && 'refusal' in login) this.#report.ended(connection, login.refusal);
    return login !== undefined && 'account' in login;
  }

  #redfishIdentities(): ClientIdentities {
    return identitiesOf(this.settings.clientCertificates.mapping);
  }

  #userOf(path: readonly Certificate[], identities: ClientIdentities): Promise<User | Refusal> {
    const { result } = mapToName(path, identities, this.#context());
    return userOf(result, this.#options.findUser);
  }

  #context(): MappingContext {
    const { hostName, accountCertificates } = this.#options;
    return { hostName, ownerOf: (certificate) => accountCertificates.ownerOf(certificate) };
  }
}

/** What Redfish sets is one way to find the name for all certificates. */
function identitiesOf(mapping: CertificateLogin['mapping']): ClientIdentities {
  return { certToName: [], defaultIdentity: { mapType: mapping } };
}
