import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../../platform/configuration.ts';
import type { Log } from '../../platform/log.ts';
import { SessionFile } from '../access/session-file.ts';
import type { Sessions } from '../access/sessions.ts';

/** Ends idle sessions in time for those who watch, and keeps sessions where that is wanted. */
export function keepSessions(
  { redfish, stateDirectory }: Configuration,
  sessions: Sessions,
  log: Log,
): () => Promise<void> {
  const path = join(stateDirectory, 'sessions.json');
  const file = redfish.sessions.persist ? new SessionFile(path, sessions) : undefined;
  if (file) file.load();
  else rmSync(path, { force: true });
  const note = (error: unknown) => {
    log.error('the sessions could not be kept', { reason: String(error) });
  };
  // A session that was ended must not come back after a crash
  let soon: NodeJS.Timeout | undefined;
  sessions.onEnd(() => {
    soon ??= setTimeout(() => {
      soon = undefined;
      file?.save().catch(note);
    }, 1000).unref();
  });
  const period = redfish.limits.sessionWriteSeconds * 1000;
  const timer = setInterval(() => {
    sessions.endIdle();
    file?.save().catch(note);
  }, period).unref();
  return async () => {
    clearInterval(timer);
    clearTimeout(soon);
    await file?.save().catch(note);
  };
}
