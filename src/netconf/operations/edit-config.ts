import type { Audit } from '../../core/audit.ts';
import type { Mutex } from '../../core/mutex.ts';
import { errorPath } from '../datastore/data-path.ts';
import { applyEdit, type EditOperation } from '../datastore/edit.ts';
import type { RunningLock } from '../datastore/lock.ts';
import { holderPlace } from '../datastore/place.ts';
import { type Plan, planEdit } from '../datastore/plan.ts';
import { readRunning } from '../datastore/running.ts';
import { runningTree } from '../datastore/running-tree.ts';
import { carryOut } from '../datastore/transaction.ts';
import { configuration } from '../models/configuration.ts';
import type { Operation } from '../rpc/operation.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Element } from '../xml/element.ts';
import { mustBeAllowed, toChange } from './access.ts';
import { asking } from './get.ts';
import type { DatastoreOptions } from './operations.ts';
import { mustBeRunning, parametersOf, refuseAttributes, required, wordOf } from './parameters.ts';

export interface EditOptions
  extends Pick<
    DatastoreOptions,
    'endpoints' | 'certificates' | 'names' | 'lockout' | 'settings' | 'log'
  > {
  readonly audit: Audit;
  readonly lock: RunningLock;
  /** In which everything is done that the lock is about. */
  readonly turn: Mutex;
}

const names = ['target', 'default-operation', 'error-option', 'config'] as const;

/** `<edit-config>` of running: all of it, or nothing (RFC 6241 §7.2 and §8.5). */
export function editConfigOperation(options: EditOptions): Operation {
  const { audit, lock, turn, lockout } = options;
  return async (request, caller) => {
    await mustBeAllowed(caller, toChange);
    const edit = readEdit(request);
    await turn.run(async () => {
      // An edit of another session may have taken long
      const identity = await mustBeAllowed(caller, toChange);
      lock.mustAdmit(caller.sessionId);
      const plan = await planOf(edit, options);
      audit.tell({ endpoint: plan.names.map(({ type, name }) => `${type}/${name}`).join(' ') });
      if (plan.bags.size > 0 && !(await lockout.letsIn(identity, plan.bags))) throw shutOut(plan);
      await carryOut(plan, options, caller.signal);
    });
    return [];
  };
}

/** The bag is named where the edit is about one. */
function shutOut({ bags }: Plan): RpcError {
  const message =
    'with these CAs the client of this session would not be let in any more; nothing changed';
  const [name, ...others] = bags.keys();
  const path = name !== undefined && others.length === 0 && holderPlace('bags', name).path;
  return new RpcError('operation-failed', message, {
    ...{ type: 'application', appTag: 'self-lockout' },
    ...(path && { path: errorPath(path) }),
  });
}

interface Edit {
  readonly config: Element;
  readonly defaultOperation: EditOperation;
}

function readEdit(request: Element): Edit {
  const parameters = parametersOf(request, names);
  mustBeRunning(required(parameters.target, 'target'));
  const operation = parameters['default-operation'];
  const defaultOperation = operation ? wordOf(operation, ['merge', 'replace', 'none']) : 'merge';
  const option = parameters['error-option'];
  const errorOptions = ['stop-on-error', 'continue-on-error', 'rollback-on-error'] as const;
  if (option && wordOf(option, errorOptions) === 'continue-on-error')
    throw new RpcError(
      'operation-not-supported',
      'an edit is done as a whole or not at all: continue-on-error is not possible',
      { type: 'protocol' },
    );
  const config = required(parameters.config, 'config');
  refuseAttributes(config);
  return { config, defaultOperation };
}

async function planOf({ config, defaultOperation }: Edit, options: EditOptions): Promise<Plan> {
  const { certDataFormat, content } = options.settings();
  const running = asking(() => readRunning({ ...options, names: options.names.value }));
  const tree = runningTree(running, certDataFormat);
  const after = applyEdit(configuration, tree, config, defaultOperation);
  return planEdit(running, tree, after, content);
}
