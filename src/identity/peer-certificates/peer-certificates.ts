import type { TLSSocket } from 'node:tls';
import type { Certificate } from '../../x509/certificate.ts';
import type { User } from '../accounts/user-directory.ts';
import { ChainJudge, type ChainJudgeOptions } from './chain-judge.ts';
import { ClientConnections, type ClientConnectionsOptions } from './client-connections.ts';
import type { ClientIdentities } from './client-identities.ts';
import { type Explanation, explainLogin, type FindUser, userOf } from './explain.ts';
import type { MappingContext } from './map-types.ts';
import { mapToName } from './mapping.ts';
import { type PeerChainLimits, PeerChains } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';
import { RefusalReport, type RefusalReportOptions } from './refusal-report.ts';
import { HandshakeAuthorities } from './trust.ts';

export interface PeerCertificatesOptions
  extends ChainJudgeOptions,
    ClientConnectionsOptions,
    RefusalReportOptions {
  /** Whose certificates are whose. */
  readonly identities: () => ClientIdentities;
  readonly mapping: MappingContext;
  readonly findUser: FindUser;
  readonly limits: PeerChainLimits & { readonly nameBytes: number };
  /** Whether clients are asked for certificates. */
  readonly asks: () => boolean;
  /** Whether clients without a valid certificate are sent away. */
  readonly requires: () => boolean;
}

/** What a connection's certificate is good for. */
export type Login =
  | {
      readonly account: User;
      readonly certificate: Certificate;
      readonly shown: readonly Certificate[];
    }
  | { readonly refusal: Refusal };

/** The clients of an edge by the certificates of their connections, as the lists are now. */
export class PeerCertificates {
  readonly connections: ClientConnections;
  readonly judge: ChainJudge;
  readonly report: RefusalReport;
  readonly #options: PeerCertificatesOptions;
  readonly #chains: PeerChains;
  readonly #authorities: HandshakeAuthorities;
  readonly #suspended = new WeakSet<object>();

  constructor(options: PeerCertificatesOptions) {
    this.#options = options;
    this.#chains = new PeerChains(options.limits);
    this.judge = new ChainJudge(options);
    this.report = new RefusalReport(options, this.#chains);
    this.#authorities = new HandshakeAuthorities(options.limits.nameBytes, options.log);
    const { judge, report } = this;
    const chains = this.#chains;
    this.connections = new ClientConnections(options, {
      ...{ chains, judge, report },
      requires: () => this.requiresCertificate(),
    });
  }

  /** PEM of the CAs that clients are asked for certificates of; `undefined` when clients are asked for none. */
  authorities(): readonly string[] | undefined {
    const { trusted = [] } = this.judge.trust() ?? {};
    return this.#options.asks() && trusted.length > 0 ? this.#authorities.of(trusted) : undefined;
  }

  requiresCertificate(): boolean {
    return this.#options.requires();
  }

  /** The client's own certificate, where it showed one that can be read. */
  certificateOf(connection: object): Certificate | undefined {
    return this.#chains.of(connection)?.certificates[0];
  }

  /** What the client showed; no chain is refused while the lists cannot be read. */
  shown(connection: TLSSocket): { isRefused: boolean; bytes: number } | undefined {
    const chain = this.#chains.of(connection);
    if (!chain) return undefined;
    const refusal = this.judge.refusalOf(chain);
    const bytes = chain.certificates.reduce((sum, { der }) => sum + der.length, 0);
    return { isRefused: refusal !== undefined && refusal !== 'unavailable', bytes };
  }

  /** The address of a client, also after its connection was closed; empty where it is lost. */
  addressOf(connection: object): string {
    return this.#chains.addressOf(connection);
  }

  /** The client of a connection was not asked for a certificate, and should know why it has no login. */
  suspend(connection: TLSSocket): void {
    this.#suspended.add(connection);
  }

  /**
   * @param identities another list than that of the edge
   * @returns `undefined` when the client showed no certificate or is not to be asked for one
   */
  async login(
    connection: object,
    identities = this.#options.identities(),
  ): Promise<Login | undefined> {
    const chain = this.#options.asks() ? this.#chains.of(connection) : undefined;
    if (!chain) return this.#suspended.has(connection) ? { refusal: 'suspended' } : undefined;
    const [certificate] = chain.certificates;
    const path = this.judge.trustedPath(chain);
    const account = typeof path === 'string' ? path : await this.userOf(path, identities);
    if (typeof account !== 'string' && certificate)
      return { account, certificate, shown: chain.certificates };
    const refusal = typeof account === 'string' ? account : 'unreadable';
    this.report.refused(connection, refusal, certificate);
    return { refusal };
  }

  /** @param path from the client's certificate to the root */
  userOf(
    path: readonly Certificate[],
    identities = this.#options.identities(),
  ): Promise<User | Refusal> {
    const { mapping, findUser } = this.#options;
    return userOf(mapToName(path, identities, mapping).result, findUser);
  }

  /**
   * What a login with a chain would come to now, without a login.
   * @param shown the client's own certificate first
   * @param identities another list than that of the edge
   */
  explain(
    shown: readonly Certificate[],
    identities = this.#options.identities(),
  ): Promise<Explanation> {
    const { mapping, findUser } = this.#options;
    return explainLogin(shown, this.judge.pathWithoutHandshake(shown), identities, {
      ...mapping,
      findUser,
    });
  }
}
