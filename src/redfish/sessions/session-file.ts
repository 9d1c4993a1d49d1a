import { validateKeptSessions } from '../../../schemas/generated/validators.js';
import { Mutex } from '../../core/mutex.ts';
import { readState, writeState } from '../../storage/state-file.ts';
import type { KeptSession, Sessions } from './sessions.ts';

const form = { what: 'sessions', validator: validateKeptSessions };

/**
 * Keeps the sessions in a file that holds hashes of tokens only. Time that passes while the service does
 * not run counts as idle, as far as the clock of the device tells.
 */
export class SessionFile {
  readonly #path: string;
  readonly #sessions: Sessions;
  readonly #idleWriteMilliseconds: number;
  #written = { at: 0, who: '[]' };
  readonly #turn = new Mutex();

  /** @param idleWriteMilliseconds how long idle times may go on without being written */
  constructor(path: string, sessions: Sessions, idleWriteMilliseconds = 0) {
    this.#path = path;
    this.#sessions = sessions;
    this.#idleWriteMilliseconds = idleWriteMilliseconds;
  }

  /** A file that is not there or damaged holds no session: its users log in again. */
  load(nowMilliseconds = Date.now()): 'loaded' | 'absent' | 'damaged' {
    const stored = this.#stored();
    if (stored === 'absent') return stored;
    this.#written = { at: 0, who: 'of the last run' };
    if (stored === 'damaged') return stored;
    const away = Math.max(0, nowMilliseconds - stored.writtenAt);
    const kept = stored.sessions.map(
      ({ context, xsrfHash, passwordStamp, ...session }): KeptSession => ({
        ...session,
        context,
        xsrfHash,
        passwordStamp,
        idleMilliseconds: session.idleMilliseconds + away,
      }),
    );
    this.#sessions.restore(kept);
    return 'loaded';
  }

  /**
   * The caller sets the rate; a session that ended since the last time survives a crash. Where
   * nothing but idle times moved, the file is written now and then only, unless `everything` is wanted.
   */
  save({ at = Date.now(), everything = false } = {}): Promise<void> {
    return this.#turn.run(() => this.#write(at, everything));
  }

  async #write(at: number, everything: boolean): Promise<void> {
    const sessions = this.#sessions.keep();
    const who = JSON.stringify(
      sessions.map(({ tokenHash, userName, passwordStamp }) => [
        tokenHash,
        userName,
        passwordStamp,
      ]),
    );
    const since = at - this.#written.at;
    const isFresh = !everything && since >= 0 && since < this.#idleWriteMilliseconds;
    if (who === this.#written.who && (isFresh || sessions.length === 0)) return;
    await writeState(this.#path, { writtenAt: at, sessions });
    this.#written = { at, who };
  }

  #stored() {
    try {
      return readState(this.#path, form) ?? 'absent';
    } catch {
      return 'damaged';
    }
  }
}
