import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { SessionFile } from '../sessions/session-file.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** Sessions that go on after a restart of the service. */
export interface KeptSessions {
  /** Has the file say what memory says. */
  store(): Promise<void>;
  /** Writes them for the next start. */
  close(): Promise<void>;
}

/**
 * Loads the sessions of the last run, ends idle ones in time for their listeners, and writes sessions as they change. A
 * file that cannot be used costs its users a login, not the service.
 */
export function keepSessions(
  { redfish }: Configuration,
  sessions: Sessions,
  log: Log,
): KeptSessions {
  const path = join(redfish.directory, 'sessions.json');
  const { sessionWriteSeconds, sessionIdleWriteSeconds } = redfish.limits;
  const file = new SessionFile(path, sessions, sessionIdleWriteSeconds * 1000);
  if (file.load() === 'damaged') {
    log.warn('the kept sessions cannot be read, their users log in again', { path });
    // Also where the disk failed for now: what a later start would find, users may have ended in between
    remove(path, log);
  }
  const keep = async (everything: boolean) =>
    file.save({ everything }).catch((error: unknown) => {
      log.error('the sessions could not be kept', { reason: reasonOf(error) });
      throw error;
    });
  const save = (everything: boolean) => keep(everything).catch(() => undefined);
  sessions.keepWith(() => keep(false));
  // A session that ended by itself
  let soon: NodeJS.Timeout | undefined;
  const stopFollowing = sessions.onEnd(() => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void save(false);
    }, 1000).unref();
  });
  const timer = setInterval(() => {
    sessions.endIdle();
    void save(false);
  }, sessionWriteSeconds * 1000).unref();
  return {
    store: () => file.save({ everything: true }),
    async close() {
      // The last write may find sessions that ended, and nothing may be written after it
      stopFollowing();
      clearInterval(timer);
      clearTimeout(soon);
      await save(true);
    },
  };
}

function remove(path: string, log: Log): void {
  try {
    rmSync(path, { force: true, recursive: true });
  } catch (error) {
    log.error('old sessions could not be removed', { path, reason: reasonOf(error) });
  }
}
