import { type Certificate, isSelfSigned } from '../../x509/certificate.ts';
import { findPath, needsHandshake, ownFault, type TrustLists } from './chain.ts';
import type { PeerChain } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';

/** Why a chain is not trusted, `undefined` when it is. */
export type JudgeChain = (chain: PeerChain) => Refusal | undefined;

export interface ChainJudgeOptions {
  /** The lists as they are now, `undefined` while one of them cannot be read. */
  readonly trust: () => TrustLists | undefined;
  /**
   * A certificate that no CA issued lets no client in, also where it stands among the trusted ones, and a client without
   * the chain of its certificate is told apart from one of a CA that nobody knows.
   */
  readonly issuedOnly?: boolean;
  /** Milliseconds since 1970, by the clock of the device. */
  readonly now: () => number;
  readonly limits: { readonly chainCertificates: number };
}

/** Judges the chains of connections by the lists and the clock of this moment. */
export class ChainJudge {
  readonly #options: ChainJudgeOptions;
  /** The path of each chain by the lists of its handshake. */
  readonly #paths = new WeakMap<PeerChain, readonly Certificate[]>();

  constructor(options: ChainJudgeOptions) {
    this.#options = options;
  }

  /** The lists as they are now, `undefined` while one of them cannot be read. */
  trust(): TrustLists | undefined {
    return this.#options.trust();
  }

  /** What was wrong with a chain in its handshake. */
  refusalInHandshake({ certificates, refusal }: PeerChain): Refusal | undefined {
    return this.#ownRefusal(certificates, refusal);
  }

  refusalOf(chain: PeerChain): Refusal | undefined {
    const path = this.trustedPath(chain);
    return typeof path === 'string' ? path : undefined;
  }

  /** The path of a chain by the lists as they are now, or why it is not trusted. */
  trustedPath(chain: PeerChain): readonly Certificate[] | Refusal {
    const trust = this.trust();
    if (!trust) return 'unavailable';
    const refusal = this.refusalInHandshake(chain);
    if (refusal) return refusal;
    const path = this.#paths.get(chain) ?? this.#pathOf(chain.certificates, trust);
    if (typeof path !== 'string') this.#paths.set(chain, path);
    return this.#pathAfter(path, chain.certificates, trust);
  }

  /**
   * The path of a chain that no handshake has judged. It leaves out what is only seen there: whether the client has the key,
   * and whether its names keep to the name constraints of CA certificates.
   */
  pathWithoutHandshake(shown: readonly Certificate[]): readonly Certificate[] | Refusal {
    const trust = this.trust();
    if (!trust) return 'unavailable';
    const path = this.#pathOf(shown, trust);
    const found = typeof path === 'string' ? path : undefined;
    const refusal = this.#ownRefusal(shown, found);
    if (refusal) return refusal;
    if (typeof path === 'string') return path;
    const [own] = path;
    return (own && ownFault(own, path.length === 1)) ?? path;
  }

  /** Whether a chain that is trusted now would be with other lists. */
  isTrustedAfter(shown: readonly Certificate[], lists: TrustLists): boolean {
    return typeof this.pathAfter(shown, lists) !== 'string';
  }

  /** The path by other lists of a chain that is trusted now, or why there would be none. */
  pathAfter(shown: readonly Certificate[], lists: TrustLists): readonly Certificate[] | Refusal {
    const trust = this.trust();
    const before = trust ? this.#pathOf(shown, trust) : 'unavailable';
    return this.#pathAfter(before, shown, lists);
  }

  /** @param before the path for which OpenSSL accepted the chain, or why there was none */
  #pathAfter(
    before: readonly Certificate[] | Refusal,
    shown: readonly Certificate[],
    trust: TrustLists,
  ): readonly Certificate[] | Refusal {
    if (typeof before === 'string') return before;
    const path = this.#pathOf(shown, trust);
    if (typeof path === 'string') return path;
    return needsHandshake(path, before) ? 'untrusted-issuer' : path;
  }

  #ownRefusal(shown: readonly Certificate[], found: Refusal | undefined): Refusal | undefined {
    const [own, ...others] = shown;
    if (!this.#options.issuedOnly || !own) return found;
    if (isSelfSigned(own)) return 'self-signed';
    return found === 'untrusted-issuer' && others.length === 0 ? 'incomplete-chain' : found;
  }

  #pathOf(shown: readonly Certificate[], trust: TrustLists): readonly Certificate[] | Refusal {
    const { now, limits } = this.#options;
    return findPath(shown, trust, {
      now: Math.floor(now() / 1000),
      maxCertificates: limits.chainCertificates,
    });
  }
}
