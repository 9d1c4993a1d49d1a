import type { IncomingMessage, RequestListener } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Log } from '../../core/log.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { AccessSettings, CertificateLogin } from '../accounts/access-settings.ts';
import type { User } from '../accounts/user-directory.ts';
import type { LoginAudit } from '../login-audit.ts';
import type { AccountCertificates } from './account-certificates.ts';
import { findPath, needsHandshake, type TrustLists } from './chain.ts';
import type { ClientIdentities } from './client-identities.ts';
import { type Explanation, explainLogin, type FindUser, userOf } from './explain.ts';
import type { MappingContext } from './map-types.ts';
import { mapToName } from './mapping.ts';
import { keepChains, type PeerChain, peerAddress, peerChain } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';
import { RefusedClients, subjectText } from './refused-clients.ts';
import {
  isStrong,
  namedAuthorities,
  readTrust,
  type TrustChange,
  type TrustEndpoints,
  trustAfter,
} from './trust.ts';

export interface ClientCertificatesOptions {
  readonly client: CertificateClient;
  readonly endpoints: TrustEndpoints;
  readonly settings: AccessSettings;
  /** What the mapping `Whole` looks into. */
  readonly accountCertificates: AccountCertificates;
  readonly findUser: FindUser;
  readonly hostName: () => string;
  /** Milliseconds since 1970, by the clock of the device. */
  readonly now: () => number;
  readonly limits: { readonly nameBytes: number; readonly chainCertificates: number };
  /** An operator on the device lets everybody reach the other ways to log in. */
  readonly alwaysRespond: boolean;
  /** Told of clients whose connections end because of their certificates, before any request asks for their logins. */
  readonly logins: Pick<LoginAudit, 'login'>;
  /** How long a change may take to answer before connections are cut; a second unless given. */
  readonly cutMilliseconds?: number;
  readonly log: Log;
}

/** What a connection's certificate is good for. */
export type Login =
  | {
      readonly account: User;
      readonly certificate: Certificate;
      readonly shown: readonly Certificate[];
    }
  | { readonly refusal: Refusal };

/** How long a change may take to answer before connections that lost their trust are cut. */
const cutMilliseconds = 1000;

/** Why a chain is not trusted, `undefined` when it is. */
type JudgeChain = (chain: PeerChain) => Refusal | undefined;

/** Logs clients in by the certificates of their connections, as the lists and settings are now. */
export class ClientCertificates {
  readonly #options: ClientCertificatesOptions;
  readonly #shown = new WeakMap<object, PeerChain | { readonly certificates: undefined }>();
  /** The path of each connection by the lists of its handshake. */
  readonly #paths = new WeakMap<PeerChain, readonly Certificate[]>();
  readonly #suspended = new WeakSet<object>();
  readonly #reported = new WeakSet<object>();
  readonly #open = new Set<Socket>();
  /** Clients that were refused in the handshake or at a login, the last ones. */
  readonly refused = new RefusedClients();
  #toldAuthorities = { key: '', pems: [] as readonly string[] };

  constructor(options: ClientCertificatesOptions) {
    this.#options = options;
  }

  get settings(): AccessSettings {
    return this.#options.settings;
  }

  /** PEM of whom clients are asked for certificates of; `undefined` when they are asked for none. */
  authorities(): readonly string[] | undefined {
    const trust = this.#trust();
    if (!this.settings.clientCertificates.enabled || !trust || trust.trusted.length === 0)
      return undefined;
    const key = trust.trusted.map(({ fingerprint }) => fingerprint).join();
    if (key !== this.#toldAuthorities.key) {
      const strong = trust.trusted.filter(isStrong);
      const weak = trust.trusted.length - strong.length;
      if (weak > 0) this.#options.log.warn('authorities are too weak for the handshake', { weak });
      const named = namedAuthorities(strong, this.#options.limits.nameBytes);
      const left = strong.length - named.length;
      if (left > 0) this.#options.log.warn('authorities do not fit into the handshake', { left });
      this.#toldAuthorities = { key, pems: named.map(({ pem }) => pem) };
    }
    return this.#toldAuthorities.pems;
  }

  /**
   * Whether clients without a valid certificate are served. An empty truststore could let nobody in,
   * so then they are; so it is with `Whole` when no account has a certificate.
   */
  responds(trust = this.#trust()): boolean {
    const { enabled, respond, mapping } = this.settings.clientCertificates;
    const { alwaysRespond, accountCertificates } = this.#options;
    if (respond || !enabled || alwaysRespond || trust?.trusted.length === 0) return true;
    return mapping === 'Whole' && accountCertificates.kept.length === 0;
  }

  /** Whether a change would leave only clients with certificates served, and this one not among them. */
  locksOut(change: TrustChange, shown: readonly Certificate[] = []): boolean {
    const { client, endpoints } = this.#options;
    const trust = trustAfter(client, endpoints, change);
    if (!trust || this.responds(trust)) return false;
    const now = this.#trust();
    const path = now && this.#pathOf(shown, now);
    return path === undefined || typeof this.#judgeBy(trust, shown, path) === 'string';
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
    const chain = enabled ? this.#chainOf(connection) : undefined;
    if (!chain) return this.#suspended.has(connection) ? { refusal: 'suspended' } : undefined;
    const [certificate] = chain.certificates;
    const path = this.#trustedPath(chain);
    if (typeof path === 'string' || !certificate) {
      return this.#refuse(connection, typeof path === 'string' ? path : 'unreadable', certificate);
    }
    const account = await this.#userOf(path, identities);
    return typeof account === 'string'
      ? this.#refuse(connection, account, certificate)
      : { account, certificate, shown: chain.certificates };
  }

  /** What the client showed, which nobody refuses while nobody can judge it. */
  shown(connection: object): { isRefused: boolean; bytes: number } | undefined {
    const chain = this.#chainOf(connection);
    if (!chain) return undefined;
    const refusal = this.#judge(chain);
    const bytes = chain.certificates.reduce((sum, { der }) => sum + der.length, 0);
    return { isRefused: refusal !== undefined && refusal !== 'unavailable', bytes };
  }

  /** The client of a connection was not asked for a certificate, and should know why it has no login. */
  suspend(connection: object): void {
    this.#suspended.add(connection);
  }

  /** Whose a certificate of a connection is: the user that it names, or the account that has it. */
  async userOf(
    certificate: Certificate,
    mapping: CertificateLogin['mapping'],
  ): Promise<User | Refusal> {
    return this.#userOf([certificate], identitiesOf(mapping));
  }

  /**
   * What a login with a chain would come to now, without logging anybody in.
   * @param shown the client's own certificate first
   * @param identities another list than the setting of Redfish
   */
  explain(
    shown: readonly Certificate[],
    identities = this.#redfishIdentities(),
  ): Promise<Explanation> {
    const { findUser } = this.#options;
    const context = { ...this.#context(), findUser };
    return explainLogin(shown, this.#trust(), this.#pathLimits(), identities, context);
  }

  /** Serves nothing to clients without a valid certificate while the settings say so. */
  guard(app: RequestListener): RequestListener {
    return (req, res) => {
      if (this.responds()) app(req, res);
      else {
        this.#mayEnter(req).then(
          (allowed) => (allowed ? app(req, res) : req.socket.destroy()),
          () => req.socket.destroy(),
        );
      }
    };
  }

  /** Follows the connections of a server from their handshakes on. */
  attach(server: Server): void {
    keepChains(server, () => !this.responds());
    server.prependListener('secureConnection', (socket) => {
      const chain = this.#chainOf(socket);
      const refusal = chain && this.#judge(chain);
      if (refusal) this.#refuse(socket, refusal, chain.certificates[0]);
      if ((!chain || refusal) && !this.responds()) {
        if (!chain) this.#note(socket, 'no-certificate', undefined);
        if (refusal) this.#auditEnd(socket, refusal);
        socket.destroy();
        return;
      }
      if (!chain) return;
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    // Where a certificate is required, Node ends the connection of a client whose chain OpenSSL refuses
    server.on('tlsClientError', (error, socket) => {
      if ('code' in error && error.code === noCertificateCode) {
        this.#note(socket, 'no-certificate', undefined);
      }
      const chain = socket.authorizationError && this.#chainOf(socket);
      if (!chain?.refusal) return;
      this.#refuse(socket, chain.refusal, chain.certificates[0]);
      this.#auditEnd(socket, chain.refusal);
    });
    const unsubscribe = this.#options.client.subscribe(() =>
      this.#cutLater((chain) => this.#judge(chain)),
    );
    server.once('close', unsubscribe);
  }

  /** Ends connections of clients whom their certificates let in no more, as they are of no account. */
  cut(gone: readonly Certificate[]): void {
    if (this.settings.clientCertificates.mapping !== 'Whole') return;
    const isGone = ({ certificates: [own] }: PeerChain) =>
      gone.some(({ fingerprint }) => fingerprint === own?.fingerprint);
    this.#cutLater((chain) => (isGone(chain) ? 'unknown-user' : undefined));
  }

  /** Requests are judged one by one; what is left are answers that go on for long, such as events. */
  #cutLater(judge: JudgeChain): void {
    const bad = [...this.#open].filter((socket) => {
      const refusal = this.#verdict(socket, judge);
      return refusal !== undefined && refusal !== 'unavailable';
    });
    if (bad.length > 0) this.#cutAfterAll(bad, judge);
  }

  /** Trust may have come back in the meantime, or be on its way back with its endpoint. */
  #cutAfterAll(sockets: readonly Socket[], judge: JudgeChain): void {
    setTimeout(() => {
      const verdicts = sockets
        .filter((socket) => this.#open.has(socket))
        .map((socket) => ({ socket, refusal: this.#verdict(socket, judge) }));
      for (const { socket, refusal } of verdicts) {
        if (refusal !== undefined && refusal !== 'unavailable') socket.destroy();
      }
      const away = verdicts.filter(({ refusal }) => refusal === 'unavailable');
      if (away.length > 0)
        this.#cutAfterAll(
          away.map(({ socket }) => socket),
          judge,
        );
    }, this.#options.cutMilliseconds ?? cutMilliseconds).unref();
  }

  /** Why a connection is not trusted now; nothing of one that never was. */
  #verdict(socket: Socket, judge: JudgeChain): Refusal | undefined {
    const chain = this.#chainOf(socket);
    return chain && chain.refusal === undefined ? judge(chain) : undefined;
  }

  async #mayEnter({ socket }: IncomingMessage): Promise<boolean> {
    const login = await this.login(socket);
    if (login && 'refusal' in login) this.#auditEnd(socket, login.refusal);
    return login !== undefined && 'account' in login;
  }

  #trust() {
    return readTrust(this.#options.client, this.#options.endpoints);
  }

  #chainOf(connection: object): PeerChain | undefined {
    const known = this.#shown.get(connection);
    if (known) return known.certificates && known;
    const chain = peerChain(connection, this.#options.limits.chainCertificates);
    this.#shown.set(connection, chain ?? { certificates: undefined });
    return chain;
  }

  #judge(chain: PeerChain): Refusal | undefined {
    const path = this.#trustedPath(chain);
    return typeof path === 'string' ? path : undefined;
  }

  /** The path of a chain by the lists as they are now, or why it is not trusted. */
  #trustedPath(chain: PeerChain): readonly Certificate[] | Refusal {
    const trust = this.#trust();
    if (!trust) return 'unavailable';
    if (chain.refusal) return chain.refusal;
    const path = this.#paths.get(chain) ?? this.#pathOf(chain.certificates, trust);
    if (typeof path !== 'string') this.#paths.set(chain, path);
    return this.#judgeBy(trust, chain.certificates, path);
  }

  /**
   * @param before the path for which OpenSSL accepted the chain, or why there was none
   * @returns the path as it is now
   */
  #judgeBy(
    trust: TrustLists,
    shown: readonly Certificate[],
    before: readonly Certificate[] | Refusal,
  ): readonly Certificate[] | Refusal {
    if (typeof before === 'string') return before;
    const path = this.#pathOf(shown, trust);
    if (typeof path === 'string') return path;
    return needsHandshake(path, before) ? 'untrusted-issuer' : path;
  }

  #pathOf(shown: readonly Certificate[], trust: TrustLists): readonly Certificate[] | Refusal {
    return findPath(shown, trust, this.#pathLimits());
  }

  #pathLimits() {
    const { now, limits } = this.#options;
    return { now: Math.floor(now() / 1000), maxCertificates: limits.chainCertificates };
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

  #refuse(connection: object, refusal: Refusal, certificate: Certificate | undefined): Login {
    if (!this.#reported.has(connection)) {
      this.#note(connection, refusal, certificate);
      this.#options.log.warn('client certificate refused', {
        reason: refusal,
        subject: subjectText(certificate),
        fingerprint: certificate?.fingerprint ?? '',
      });
    }
    return { refusal };
  }

  #auditEnd(connection: object, refusal: Refusal): void {
    const address = peerAddress(connection);
    const attempt = { userName: '', address, method: 'certificate', connection } as const;
    this.#options.logins.login(attempt, refusal);
  }

  #note(connection: object, refusal: Refusal, certificate: Certificate | undefined): void {
    this.#reported.add(connection);
    this.refused.add(this.#options.now(), refusal, peerAddress(connection), certificate);
  }
}

/** OpenSSL's reason where a certificate is required and the client has none, by Node's name. */
const noCertificateCode = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** What Redfish sets is one way to find the name for all certificates. */
function identitiesOf(mapping: CertificateLogin['mapping']): ClientIdentities {
  return { certToName: [], defaultIdentity: { mapType: mapping } };
}
