import type { Audit } from '../../core/audit.ts';
import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { DBusError, toErrorReply } from '../server/error-names.ts';
import type { FollowCall } from '../server/object-server.ts';
import type { Callers } from '../transport/bus-driver.ts';

/**
 * Told of each call that would change something when it has ended.
 * @param path of the object that was called
 * @param method without its interface
 * @param reason why it was refused; absent for a success
 */
export type CallEnded = (path: string, method: string, reason?: CertErrorCode) => void;

/** Writes a line of the audit for each call that changes something, and for each that is refused. */
export function auditCalls(
  audit: Audit,
  callers: Pick<Callers, 'credentials'>,
  ended: CallEnded = () => undefined,
): FollowCall {
  return ({ sender, path }, { name: method, changes }, work) => {
    // Asked now, for a caller may be gone when the call has ended
    const known = callers.credentials(sender).catch(() => undefined);
    return audit.during(async (told) => {
      const write = async (event: 'call' | 'call refused', outcome: string) => {
        const { user, process } = (await known) ?? {};
        const ids = { ...(user !== undefined && { uid: user }), ...(process && { pid: process }) };
        audit.write(event, { ...ids, sender, method, path, ...told(), outcome });
      };
      const member = method.slice(method.lastIndexOf('.') + 1);
      try {
        const result = await work();
        if (changes) ended(path, member);
        if (changes) await write('call', 'ok');
        return result;
      } catch (error) {
        if (changes) ended(path, member, codeOf(error));
        await write(
          'call refused',
          error instanceof CertError ? error.code : toErrorReply(error).name,
        );
        throw error;
      }
    });
  };
}

function codeOf(error: unknown): CertErrorCode {
  if (error instanceof CertError) return error.code;
  // What the object server itself refuses is about the arguments
  return error instanceof DBusError ? 'argument-invalid' : 'internal';
}
