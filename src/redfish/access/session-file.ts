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
  readonly #idleWriteMilliseconds: number;
  #written = { at: 0, who: '[]' };
  #last: Promise<unknown> = Promise.resolve();

  /** @param idleWriteMilliseconds how long idle times may go on without being written */
  constructor(path: string, sessions: Sessions, idleWriteMilliseconds = 0) {
    this.#path = path;
    this.#sessions = sessions;
    this.#idleWriteMilliseconds = idleWriteMilliseconds;
  }

  /** A file that is not there or damaged holds no session: its users log in again. */
  load(nowMilliseconds = Date.now()): 'loaded' | 'absent' | 'damaged' {
    const text = this.#text();
    if (text === undefined) return 'absent';
    const result = validate(validateKeptSessions, parseJson(text));
    if (!result.ok) return 'damaged';
    this.#written = { at: 0, who: 'of the last run' };
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
    return 'loaded';
  }

  /**
   * Whoever calls it sets the rate; a session that ended since the last time survives a crash. Where
   * nothing but idle times moved, the file is written now and then only, unless `everything` is wanted.
   */
  save({ at = Date.now(), everything = false } = {}): Promise<void> {
    const turn = this.#last.then(() => this.#write(at, everything));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #write(at: number, everything: boolean): Promise<void> {
    const sessions = this.#sessions.keep();
    const who = JSON.stringify(sessions.map(({ tokenHash }) => tokenHash));
    const since = at - this.#written.at;
    const isFresh = !everything && since >= 0 && since < this.#idleWriteMilliseconds;
    if (who === this.#written.who && (isFresh || sessions.length === 0)) return;
    await makeDirectory(dirname(this.#path), ownerOnly);
    const text = JSON.stringify({ writtenAt: at, sessions }, null, 2);
    await writeFileAtomic(this.#path, `${text}\n`, ownerOnly);
    this.#written = { at, who };
  }

  /** Something that cannot be read is damaged like text that says nothing. */
  #text(): string | undefined {
    try {
      return readIfThere(this.#path);
    } catch {
      return '';
    }
  }
}
