import { StatusError } from '../rpc/status.ts';

/** Ids that an operation is about: no other may touch them. */
export class IdClaims {
  readonly #claimed = new Set<string>();

  has(id: string): boolean {
    return this.#claimed.has(id);
  }

  /** @returns how to end it, any number of times. @throws StatusError where another has it */
  claim(id: string): () => void {
    if (this.#claimed.has(id))
      throw new StatusError('ABORTED', `another operation on ${id} is in progress`);
    this.#claimed.add(id);
    let isOver = false;
    return () => {
      if (!isOver) this.#claimed.delete(id);
      isOver = true;
    };
  }
}
