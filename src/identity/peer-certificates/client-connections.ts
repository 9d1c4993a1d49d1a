import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import type { Certificate } from '../../x509/certificate.ts';
import type { ChainJudge, JudgeChain } from './chain-judge.ts';
import type { PeerChain, PeerChains } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';
import type { RefusalReport } from './refusal-report.ts';

export interface ClientConnectionsOptions {
  /** Calls back when a list of trust may have changed; absent where the edge ends its connections itself. */
  readonly subscribe?: (listener: () => void) => () => void;
  /** How long a change may take to answer before connections are cut; a second unless given. */
  readonly cutMilliseconds?: number | undefined;
}

interface Parts {
  readonly chains: PeerChains;
  readonly judge: ChainJudge;
  readonly report: RefusalReport;
  /** Whether clients without a valid certificate are sent away. */
  readonly requires: () => boolean;
}

/** How long a change may take to answer before connections that lost their trust are cut. */
const cutMilliseconds = 1000;

/** OpenSSL's reason where a certificate is required and the client has none, by Node's name. */
export const noCertificateCode = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** Follows the connections of clients with certificates, and ends those whose certificates count no more. */
export class ClientConnections {
  readonly #options: ClientConnectionsOptions;
  readonly #parts: Parts;
  readonly #open = new Set<Socket>();

  constructor(options: ClientConnectionsOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Follows the connections of a server from their handshakes on. */
  attach(server: Server): void {
    const { chains, judge, report, requires } = this.#parts;
    chains.keep(server, requires);
    server.prependListener('secureConnection', (socket) => {
      const chain = chains.of(socket);
      const refusal = chain && judge.refusalOf(chain);
      if (refusal) report.refused(socket, refusal, chain.certificates[0]);
      if ((!chain || refusal) && requires()) {
        if (!chain) report.listed(socket, 'no-certificate');
        if (refusal) report.ended(socket, refusal);
        socket.destroy();
        return;
      }
      if (!chain) return;
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    // Where a certificate is required, Node ends the connection of a client whose chain OpenSSL refuses
    server.on('tlsClientError', (error, socket) => {
      if ('code' in error && error.code === noCertificateCode)
        report.listed(socket, 'no-certificate');
      const chain = socket.authorizationError && chains.of(socket);
      const refusal = chain && judge.refusalInHandshake(chain);
      if (!refusal) return;
      report.refused(socket, refusal, chain.certificates[0]);
      report.ended(socket, refusal);
    });
    const unsubscribe = this.#options.subscribe?.(() =>
      this.#cutLater((chain) => judge.refusalOf(chain)),
    );
    if (unsubscribe) server.once('close', unsubscribe);
  }

  /** Ends connections of clients with these certificates, which are of no account any more. */
  cut(gone: readonly Certificate[]): void {
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
      const away: Socket[] = [];
      for (const socket of sockets.filter((one) => this.#open.has(one))) {
        const refusal = this.#verdict(socket, judge);
        if (refusal === 'unavailable') away.push(socket);
        else if (refusal) socket.destroy();
      }
      if (away.length > 0) this.#cutAfterAll(away, judge);
    }, this.#options.cutMilliseconds ?? cutMilliseconds).unref();
  }

  /** Why a connection is not trusted now; nothing of a connection that never was. */
  #verdict(socket: Socket, judge: JudgeChain): Refusal | undefined {
    const chain = this.#parts.chains.of(socket);
    return chain && chain.refusal === undefined ? judge(chain) : undefined;
  }
}
