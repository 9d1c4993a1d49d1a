import { addressGroup } from '../../core/client-address.ts';
import { RedfishError } from '../messages/redfish-error.ts';

export interface BodyRoomLimits {
  /** The largest body that there may be. */
  readonly bodyBytes: number;
  /** Bytes of all bodies at a time. */
  readonly bodiesBytes: number;
  /** Percent of them that one address may have while nobody else has any. */
  readonly addressPercent: number;
}

/** What a request takes besides its body: its headers and the objects that Node has of it, about. */
export const requestBytes = 16_384;

/** A place for the body of one request. */
export interface BodyPlace {
  /** @throws RedfishError 503 when there is no room for so many more bytes */
  take(bytes: number): void;
}

/**
 * The memory for the bodies of all requests that are not answered yet, wherever they wait. What an address
 * may have stands in a fixed relation to what is free: the more the others hold, the less it may take, so
 * a few addresses never have it all, and of many that go on each has as much in the end.
 */
export class BodyRoom {
  readonly #total: number;
  readonly #percent: number;
  readonly #ofAddress = new Map<string, number>();
  #used = 0;

  constructor({ bodyBytes, bodiesBytes, addressPercent }: BodyRoomLimits) {
    this.#percent = addressPercent;
    // The largest body must have room, or it could never come
    const least = Math.ceil(((bodyBytes + requestBytes) * 100) / addressPercent);
    this.#total = Math.max(bodiesBytes, least);
  }

  /**
   * Works on a request of an address, with a place that is given back when the work has ended. The work may
   * outlive the connection of its client, so that does not count.
   * @throws RedfishError 503 when there is no room
   */
  async use<T>(clientAddress: string, work: (place: BodyPlace) => Promise<T>): Promise<T> {
    const address = addressGroup(clientAddress);
    let taken = 0;
    const take = (bytes: number) => {
      this.#take(address, bytes);
      taken += bytes;
    };
    take(requestBytes);
    try {
      return await work({ take });
    } finally {
      this.#giveBack(address, taken);
    }
  }

  /** Bytes that are taken. */
  get used(): number {
    return this.#used;
  }

  #take(address: string, bytes: number): void {
    const own = (this.#ofAddress.get(address) ?? 0) + bytes;
    const free = this.#total - this.#used - bytes;
    if (own * (100 - this.#percent) > free * this.#percent) {
      const message = { id: 'ServiceTemporarilyUnavailable', args: ['5'] } as const;
      throw new RedfishError(503, message, { 'Retry-After': '5' });
    }
    this.#used += bytes;
    this.#ofAddress.set(address, own);
  }

  #giveBack(address: string, bytes: number): void {
    this.#used -= bytes;
    const left = (this.#ofAddress.get(address) ?? 0) - bytes;
    if (left > 0) this.#ofAddress.set(address, left);
    else this.#ofAddress.delete(address);
  }
}
