import { type DetailedPeerCertificate, type Server, TLSSocket } from 'node:tls';
import { CertError } from '../../core/cert-error.ts';
import { clientAddress } from '../../core/client-address.ts';
import { codeOf } from '../../storage/io-errors.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { type Refusal, refusalOf } from './refusal.ts';

/** What a client showed in its handshake, and whether OpenSSL accepted it. */
export interface PeerChain {
  /** The client's own first; empty when it cannot be read. */
  readonly certificates: readonly Certificate[];
  readonly refusal?: Refusal;
}

/** How long a chain may be, and what is read of each certificate. */
export interface PeerChainLimits {
  readonly chainCertificates: number;
  readonly content: ContentLimits;
}

/**
 * These releases of Node lose every certificate but the client's own before they tell of the connection
 * (https://github.com/nodejs/node/issues/65579).
 */
const losesChains = /^(24\.21|26\.8)\./.test(process.versions.node);

/** Reads the chain and the address of each connection once. */
export class PeerChains {
  readonly #limits: PeerChainLimits;
  /** What clients sent, and from where, where it has to be read before Node lets go of it. */
  readonly #kept = new WeakMap<object, { sent: DetailedPeerCertificate; address: string }>();
  readonly #read = new WeakMap<object, { readonly chain: PeerChain | undefined }>();

  constructor(limits: PeerChainLimits) {
    this.#limits = limits;
  }

  /**
   * Keeps the chains of clients readable where Node loses them, or ends the connection because of them before it tells
   * of the connection.
   * @param endsRefused whether Node ends the connection of a client whose chain OpenSSL refuses
   */
  keep(server: Server, endsRefused: () => boolean): void {
    const seen = new WeakSet<TLSSocket>();
    // The only event that hands out the socket before Node looks at its chain. The secrets in its lines are
    // not for us
    const keep = (_line: Buffer, socket: TLSSocket) => {
      if (seen.has(socket)) return;
      seen.add(socket);
      // With TLS 1.3 the client is still there: it could not end its handshake and its connection at once yet
      const address = clientAddress(socket);
      socket.prependOnceListener('secure', () => {
        this.#kept.set(socket, { sent: socket.getPeerCertificate(true), address });
      });
    };
    server.prependListener('connection', () => {
      server.removeListener('keylog', keep);
      if (losesChains || endsRefused()) server.on('keylog', keep);
    });
  }

  /** @returns `undefined` for a client that showed no certificate */
  of(connection: object): PeerChain | undefined {
    const known = this.#read.get(connection);
    if (known) return known.chain;
    const chain = this.#readChain(connection);
    this.#read.set(connection, { chain });
    return chain;
  }

  /** The address of a client, also after Node has closed the connection; empty where it is lost. */
  addressOf(connection: object): string {
    if (!(connection instanceof TLSSocket)) return '';
    return this.#kept.get(connection)?.address || clientAddress(connection);
  }

  #readChain(connection: object): PeerChain | undefined {
    if (!(connection instanceof TLSSocket)) return undefined;
    const own = this.#kept.get(connection)?.sent ?? connection.getPeerCertificate(true);
    // Node calls a resumed session of TLS 1.3 authorized even when no certificate is behind it
    if (!own?.raw) return undefined;
    const certificates = readAll(own, this.#limits);
    if (!certificates) return { certificates: [], refusal: 'unreadable' };
    if (connection.isSessionReused()) return { certificates, refusal: 'resumed' };
    if (connection.authorized) return { certificates };
    // The type says Error, but on the side of the server it is the code
    const code: unknown = connection.authorizationError;
    return { certificates, refusal: refusalOf(codeOf(code) || String(code)) };
  }
}

function readAll(
  own: DetailedPeerCertificate,
  { chainCertificates: max, content }: PeerChainLimits,
): Certificate[] | undefined {
  const seen = new Set<DetailedPeerCertificate>();
  for (let at = own; at?.raw && !seen.has(at) && seen.size <= max; at = at.issuerCertificate) {
    seen.add(at);
  }
  try {
    return [...seen].map(({ raw }) => readCertificate(raw, content));
  } catch (error) {
    if (error instanceof CertError) return undefined;
    throw error;
  }
}
