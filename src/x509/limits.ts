import { CertError } from '../core/cert-error.ts';

/**
 * How much of what strangers hand over is read at all. Each is far above every real certificate; together
 * they bound how long one upload or handshake can hold up all other clients.
 */
export interface ContentLimits {
  /** Bytes of one certificate in DER. */
  readonly certificateBytes: number;
  readonly extensions: number;
  /** Attributes of one name, in all of its parts. */
  readonly nameAttributes: number;
  readonly alternativeNames: number;
  /** PEM blocks of a file, and certificates of a container. */
  readonly blocks: number;
  /** Private keys of a file. */
  readonly keys: number;
  /** Keys that are derived from the password of a file. */
  readonly keyDerivations: number;
  /** Rounds of all of these together. */
  readonly derivationRounds: number;
  /** Memory for one of them, in bytes. */
  readonly derivationBytes: number;
}

export const usualLimits: ContentLimits = {
  certificateBytes: 262_144,
  extensions: 100,
  nameAttributes: 1000,
  alternativeNames: 10_000,
  blocks: 1000,
  keys: 16,
  keyDerivations: 32,
  derivationRounds: 4_000_000,
  derivationBytes: 70_000_000,
};

/** For a whole container; a certificate of a real one has some sixty. */
export function maxElementsOfContainer({ blocks }: ContentLimits): number {
  return 64 * blocks + 1000;
}

/** @throws CertError `too-many-certificates` */
export function refuseMoreThan(max: number, count: number, what: string): void {
  if (count <= max) return;
  throw new CertError(
    'too-many-certificates',
    `the file holds ${count} ${what} and the limit is ${max}`,
  );
}
