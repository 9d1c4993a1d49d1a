import type { Audit } from '../core/audit.ts';
import type { Caller } from './rpc/caller.ts';
import { statusOf } from './rpc/status.ts';
import type { AuditedStep } from './steps/step-stream.ts';

/** Does a step of a call, with one line of the audit that says who did it and what came of it. */
export function auditedStep<T>(
  audit: Audit,
  { userName: user, address }: Caller,
  { call, step, id }: AuditedStep,
  work: () => Promise<T>,
): Promise<T> {
  return audit.during(async (told) => {
    const line = { user, address, edge: 'gnoi', request: call, ...(step !== call && { step }) };
    const about = { ...line, ...(id !== '' && { certificate: id }) };
    try {
      const result = await work();
      audit.write('change', { ...about, ...told(), outcome: 'OK' });
      return result;
    } catch (error) {
      audit.write('change refused', { ...about, ...told(), outcome: statusOf(error).status });
      throw error;
    }
  });
}
