import { dirname } from 'node:path';
import { validateKeptSessions } from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { validate } from '../../platform/validation.ts';
import { parseJson, readIfThere } from './account-file.ts';
import type { KeptSession, Sessions } from './sessions.ts';

/**
 * Keeps the sessions in a file that holds hashes of tokens only. Time that passes while the service does
 * not run counts as idle, as far as the clock of the device tells.
 */
export class SessionFile {
  readonly #path: string;
  readonly #sessions: Sessions;
  #empty = true;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, sessions: Sessions) {
    this.#path = path;
    this.#sessions = sessions;
  }

  /** A file that is not there or damaged holds no session: its users log in again. */
  load(nowMilliseconds = Date.now()): void {
    const result = validate(validateKeptSessions, parseJson(readIfThere(this.#path) ?? ''));
    if (!result.ok) return;
    this.#empty = false;
    const away = Math.max(0, nowMilliseconds - result.value.writtenAt);
    const kept = result.value.sessions.map(
      ({ context, xsrfHash, ...session }): KeptSession => ({
        ...session,
        context,
        xsrfHash,
        idleMilliseconds: session.idleMilliseconds + away,
      }),
    );
    this.#sessions.restore(kept);
  }

  /** Whoever calls it sets the rate; a session that ended since the last time survives a crash. */
  save(nowMilliseconds = Date.now()): Promise<void> {
    const turn = this.#last.then(() => this.#write(nowMilliseconds));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #write(nowMilliseconds: number): Promise<void> {
    const sessions = this.#sessions.keep();
    if (this.#empty && sessions.length === 0) return;
    await makeDirectory(dirname(this.#path), ownerOnly);
    const text = JSON.stringify({ writtenAt: nowMilliseconds, sessions }, null, 2);
    await writeFileAtomic(this.#path, `${text}\n`, ownerOnly);
    this.#empty = sessions.length === 0;
  }
}
