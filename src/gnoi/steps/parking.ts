import type { Trial } from '../certificate-store.ts';
import type { Parked } from './stream-states.ts';

/** A rotation on trial, with the claim to its id. */
export interface HeldTrial {
  readonly trial: Trial;
  readonly release: () => void;
}

export interface ParkingOptions {
  readonly milliseconds: () => number;
  /** Calls back after so many milliseconds. @returns how to keep it from that */
  readonly after: (milliseconds: number, work: () => void) => () => void;
  /** Gives up the keys of an id, whose time is up. Never rejects. */
  readonly discard: (id: string) => void;
}

interface ParkedKey {
  readonly userName: string;
  readonly cancel: () => void;
}

interface ParkedTrial extends HeldTrial {
  readonly userName: string;
}

/** What streams that ended in good order, and CSRs without a stream, left to later calls of the same user, by id. */
export class Parking {
  readonly #options: ParkingOptions;
  readonly #keys = new Map<string, ParkedKey>();
  readonly #trials = new Map<string, ParkedTrial>();

  constructor(options: ParkingOptions) {
    this.#options = options;
  }

  of(userName: string): Parked {
    const own = (parked: ReadonlyMap<string, { readonly userName: string }>) =>
      [...parked].filter(([, one]) => one.userName === userName).map(([id]) => id);
    return { keys: own(this.#keys), trials: own(this.#trials) };
  }

  /** A key that waits for its certificate, for as long as keys may wait. */
  parkKey(userName: string, id: string): void {
    this.takeKey(id);
    const { after, milliseconds, discard } = this.#options;
    const cancel = after(milliseconds(), () => {
      this.#keys.delete(id);
      discard(id);
    });
    this.#keys.set(id, { userName, cancel });
  }

  takeKey(id: string): void {
    this.#keys.get(id)?.cancel();
    this.#keys.delete(id);
  }

  /** A rotation, which its own time limit undoes. */
  parkTrial(userName: string, id: string, held: HeldTrial): void {
    this.#trials.set(id, { userName, ...held });
    held.trial.onUndone(() => {
      if (this.#trials.get(id)?.trial !== held.trial) return;
      this.#trials.delete(id);
      held.release();
    });
  }

  takeTrial(id: string): HeldTrial | undefined {
    const parked = this.#trials.get(id);
    this.#trials.delete(id);
    return parked;
  }
}
