import { RedfishError } from './messages/redfish-error.ts';
import type { Operation } from './resource.ts';

/** Whose status codes a client expects. */
export type Compatibility = 'standard' | 'openbmc';

/**
 * The POST to a certificate collection with the codes that OpenBMC's own test suite demands: 200 for what
 * was created, and 500 for every body that is refused, where DSP0266 has 201 and 400 or 409. This is
 * the one place that knows of the difference.
 */
export function createAs(compatibility: Compatibility, operation: Operation): Operation {
  if (compatibility === 'standard') return operation;
  return {
    ...operation,
    async handle(context) {
      try {
        const reply = await operation.handle(context);
        return reply.status === 201 ? { ...reply, status: 200 } : reply;
      } catch (error) {
        if (!(error instanceof RedfishError) || error.status > 500) throw error;
        throw new RedfishError(500, error.messages, error.headers);
      }
    },
  };
}
