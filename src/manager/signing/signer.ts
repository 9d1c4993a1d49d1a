import { CertError } from '../../core/cert-error.ts';
import type { Endpoint } from '../endpoint.ts';
import { refuseUnlessSignable } from './signable-data.ts';
import { type SignatureAlgorithm, signWith } from './signature-algorithms.ts';

export interface SigningLimits {
  readonly bytes: number;
  /** Of one endpoint. */
  readonly perMinute: number;
}

const minute = 60_000;

/** Signs with the keys of endpoints, for those who must not have the keys. */
export class Signer {
  readonly #limits: SigningLimits;
  readonly #elapsed: () => number;
  /** When there were signatures in the last minute. */
  readonly #times = new WeakMap<Endpoint, readonly number[]>();

  /** @param elapsed milliseconds since some moment, by a clock that cannot be set */
  constructor(limits: SigningLimits, elapsed: () => number) {
    this.#limits = limits;
    this.#elapsed = elapsed;
  }

  /**
   * @param request the id of a pending key, empty for the key in service
   * @throws CertError `argument-invalid`, `busy`, `not-found`, `storage`
   */
  async sign(
    endpoint: Endpoint,
    request: string,
    algorithm: SignatureAlgorithm,
    data: Buffer,
  ): Promise<Buffer> {
    const { bytes } = this.#limits;
    if (data.length > bytes)
      throw new CertError('argument-invalid', `Data is longer than ${bytes} bytes`);
    refuseUnlessSignable(data);
    this.#count(endpoint);
    return signWith(await endpoint.requests.keyOf(request), algorithm, data);
  }

  #count(endpoint: Endpoint): void {
    const { perMinute } = this.#limits;
    const now = this.#elapsed();
    const recent = (this.#times.get(endpoint) ?? []).filter((time) => now - time < minute);
    if (recent.length >= perMinute)
      throw new CertError('busy', `the endpoint signs ${perMinute} times in a minute at most`);
    this.#times.set(endpoint, [...recent, now]);
  }
}
