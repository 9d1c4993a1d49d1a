import { CertError } from '../core/cert-error.ts';
import type { Trial } from './certificate-store.ts';

/** A rotation that is undone at its deadline unless it is finalized. */
export interface Rotation {
  readonly id: string;
  readonly deadline: Date;
}

/** The rotations on trial, whichever stream holds them. */
export class Rotations {
  readonly #trials = new Map<string, Trial>();
  readonly #changed: () => void;

  /** @param changed told when a deadline is another, or the store undid a rotation by itself */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** No id has two at a time: the one before has ended. */
  add(id: string, trial: Trial): void {
    this.#trials.set(id, trial);
    trial.onUndone(this.#changed);
  }

  list(): readonly Rotation[] {
    for (const [id, { deadline }] of this.#trials) if (!deadline) this.#trials.delete(id);
    return [...this.#trials].flatMap(([id, { deadline }]) => (deadline ? [{ id, deadline }] : []));
  }

  /** Has the deadline be so many seconds from now. @throws CertError `not-found` */
  async extend(id: string, seconds: number): Promise<void> {
    const trial = this.#trials.get(id);
    if (!trial?.deadline) throw new CertError('not-found', `no rotation of ${id} is on trial`);
    await trial.extend(seconds);
    this.#changed();
  }
}
