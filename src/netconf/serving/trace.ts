import type { Log } from '../../core/log.ts';
import type { Operation, Operations } from '../rpc/operation.ts';
import { RpcError } from '../rpc/rpc-error.ts';

/**
 * Logs each operation while that is asked for: who asked for what, and what came of it. Nothing of what it is about, which may
 * be private.
 * @param isOn read for each operation
 */
export function traced(operations: Operations, isOn: () => boolean, log: Log): Operations {
  return new Map([...operations].map(([name, operation]) => [name, tracedOne(operation)]));

  function tracedOne(operation: Operation): Operation {
    return async (request, caller) => {
      if (!isOn()) return operation(request, caller);
      const { sessionId: session, userName: user } = caller;
      const about = { session, user, operation: request.name };
      try {
        const answer = await operation(request, caller);
        log.info('operation', { ...about, outcome: 'ok' });
        return answer;
      } catch (error) {
        log.info('operation', {
          ...about,
          outcome: error instanceof RpcError ? error.tag : 'failed',
        });
        throw error;
      }
    };
  }
}
