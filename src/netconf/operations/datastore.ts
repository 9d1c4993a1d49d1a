import type { Audit } from '../../core/audit.ts';
import { Mutex } from '../../core/mutex.ts';
import { toElements } from '../datastore/data-node.ts';
import { RunningLock } from '../datastore/lock.ts';
import { readRunning } from '../datastore/running.ts';
import { runningTree } from '../datastore/running-tree.ts';
import { configuration } from '../models/configuration.ts';
import { moduleCapability, modules, namespaces } from '../models/modules.ts';
import { baseCapabilities } from '../rpc/base-namespace.ts';
import { nameOf, type Operation } from '../rpc/operation.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { mustBeAllowed, toChange } from './access.ts';
import { editConfigOperation } from './edit-config.ts';
import { asking, type DataRoot, getConfigOperation, getOperation } from './get.ts';
import { getSchema } from './get-schema.ts';
import { monitoringRoot } from './monitoring.ts';
import type { Datastore, DatastoreOptions } from './operations.ts';
import { mustBeRunning, parametersOf, required } from './parameters.ts';

/** RFC 6241 §8.2 and §8.5. */
const capabilities = [
  ...baseCapabilities,
  'urn:ietf:params:netconf:capability:writable-running:1.0',
  'urn:ietf:params:netconf:capability:rollback-on-error:1.0',
  ...modules.flatMap((one) => moduleCapability(one) ?? []),
];

/**
 * The running configuration, which is what the manager has in service, and the operations on it. Long because each operation is
 * a few lines over the same lock and the same turn.
 */
export function openDatastore(options: DatastoreOptions): Datastore {
  const { sessions, names, settings, audit, now } = options;
  const lock = new RunningLock(now);
  const turn = new Mutex();
  const roots: readonly DataRoot[] = configuration.map(({ name, namespace }) => ({
    ...{ name, namespace },
    read: () => {
      const running = asking(() => readRunning({ ...options, names: names.value }));
      const tree = runningTree(running, settings().certDataFormat);
      return toElements(tree.filter(({ schema }) => schema.name === name));
    },
  }));
  const state = monitoringRoot({ capabilities, sessions, lockHolder: () => lock.holder });
  const changing = (name: string, operation: Operation) => audited(audit, name, operation);
  const locking = (step: (sessionId: number) => void): Operation => {
    return async (request, caller) => {
      await mustBeAllowed(caller, toChange);
      const { target } = parametersOf(request, ['target']);
      mustBeRunning(required(target, 'target'));
      // An edit that is at work would be one during the lock of another
      await turn.run(async () => {
        await mustBeAllowed(caller, toChange);
        if (!caller.signal.aborted) step(caller.sessionId);
      });
      return [];
    };
  };
  const { netconf, monitoring } = namespaces;
  const operations: readonly (readonly [string, string, Operation])[] = [
    [netconf, 'get', getOperation([...roots, state])],
    [netconf, 'get-config', getConfigOperation(roots)],
    [
      netconf,
      'edit-config',
      changing('edit-config', editConfigOperation({ ...options, lock, turn })),
    ],
    [
      netconf,
      'lock',
      changing(
        'lock',
        locking((id) => lock.take(id)),
      ),
    ],
    [
      netconf,
      'unlock',
      changing(
        'unlock',
        locking((id) => lock.giveBack(id)),
      ),
    ],
    [monitoring, 'get-schema', getSchema],
  ];
  return {
    operations: new Map(
      operations.map(([namespace, name, operation]) => [nameOf({ namespace, name }), operation]),
    ),
    capabilities,
    close: sessions.onEnd(({ session }) => lock.release(session.id)),
  };
}

/** Does an operation with one line of the audit that says who did it and what came of it. */
function audited(audit: Audit, request: string, operation: Operation): Operation {
  return (element, caller) =>
    audit.during(async (told) => {
      const { userName: user, address, sessionId: session } = caller;
      const about = { user, address, edge: 'netconf', request, session };
      try {
        const reply = await operation(element, caller);
        audit.write('change', { ...about, ...told(), outcome: 'ok' });
        return reply;
      } catch (error) {
        const outcome = error instanceof RpcError ? error.tag : 'operation-failed';
        audit.write('change refused', { ...about, ...told(), outcome });
        throw error;
      }
    });
}
