import type { Audit } from '../../core/audit.ts';
import { CertError } from '../../core/cert-error.ts';
import { toErrorReply } from '../server/error-names.ts';
import type { FollowCall } from '../server/object-server.ts';
import type { Callers } from '../transport/bus-driver.ts';

/** Writes a line of the audit for each call that changes something, and for each that is refused. */
export function auditCalls(audit: Audit, callers: Pick<Callers, 'credentials'>): FollowCall {
  return ({ sender, path }, { name: method, changes }, work) => {
    // Asked now, for a caller may be gone when the call has ended
    const known = callers.credentials(sender).catch(() => undefined);
    return audit.during(async () => {
      const write = async (event: 'call' | 'call refused', outcome: string) => {
        const { user, process } = (await known) ?? {};
        const ids = { ...(user !== undefined && { uid: user }), ...(process && { pid: process }) };
        audit.write(event, { ...ids, sender, method, path, outcome });
      };
      try {
        const result = await work();
        if (changes) await write('call', 'ok');
        return result;
      } catch (error) {
        await write(
          'call refused',
          error instanceof CertError ? error.code : toErrorReply(error).name,
        );
        throw error;
      }
    });
  };
}
