import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { findPath, needsHandshake, type PathLimits, type TrustLists } from './chain.ts';
import type { PeerChain } from './peer-chain.ts';
import type { Refusal } from './refusal.ts';
import { readTrust, type TrustEndpoints } from './trust.ts';

/** Why a chain is not trusted, `undefined` when it is. */
export type JudgeChain = (chain: PeerChain) => Refusal | undefined;

export interface ChainJudgeOptions {
  readonly client: CertificateClient;
  readonly endpoints: TrustEndpoints;
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
    return readTrust(this.#options.client, this.#options.endpoints);
  }

  pathLimits(): PathLimits {
    const { now, limits } = this.#options;
    return { now: Math.floor(now() / 1000), maxCertificates: limits.chainCertificates };
  }

  refusalOf(chain: PeerChain): Refusal | undefined {
    const path = this.trustedPath(chain);
    return typeof path === 'string' ? path : undefined;
  }

  /** The path of a chain by the lists as they are now, or why it is not trusted. */
  trustedPath(chain: PeerChain): readonly Certificate[] | Refusal {
    const trust = this.trust();
    if (!trust) return 'unavailable';
    if (chain.refusal) return chain.refusal;
    const path = this.#paths.get(chain) ?? this.#pathOf(chain.certificates, trust);
    if (typeof path !== 'string') this.#paths.set(chain, path);
    return this.#pathAfter(path, chain.certificates, trust);
  }

  /** Whether a chain that is trusted now would be with other lists. */
  isTrustedAfter(shown: readonly Certificate[], lists: TrustLists): boolean {
    const trust = this.trust();
    const before = trust ? this.#pathOf(shown, trust) : 'unavailable';
    return typeof this.#pathAfter(before, shown, lists) !== 'string';
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

  #pathOf(shown: readonly Certificate[], trust: TrustLists): readonly Certificate[] | Refusal {
    return findPath(shown, trust, this.pathLimits());
  }
}
