import { hasPrivilege } from '../../identity/roles.ts';
import { baseNamespace } from '../rpc/base-namespace.ts';
import { type Caller, nameOf, type Operation, type Operations } from '../rpc/operation.ts';
import { missingElement, RpcError, unknownElement } from '../rpc/rpc-error.ts';
import type { Element } from '../xml/element.ts';
import type { Sessions } from './sessions.ts';

/** The operations about sessions (RFC 6241 §7.8 and §7.9), which every session has. */
export function sessionOperations(sessions: Sessions, close: () => void): Operations {
  const closeSession: Operation = async ({ children: [child] }) => {
    if (child) throw unknownElement(child, { type: 'protocol' });
    close();
    return [];
  };
  const killSession: Operation = async (request, caller) => {
    const { account } = await caller.current();
    if (!hasPrivilege(account.role, 'ConfigureManager'))
      throw new RpcError('access-denied', 'only an administrator may end other sessions');
    const id = sessionIdIn(request, caller);
    const isOver = sessions.terminate(id, 'killed', caller.sessionId);
    if (!isOver) throw new RpcError('invalid-value', `there is no session ${id}`);
    // Two sessions that kill each other must not wait for each other
    await Promise.race([isOver, aborted(caller.signal)]);
    return [];
  };
  return new Map([
    [nameOf({ namespace: baseNamespace, name: 'close-session' }), closeSession],
    [nameOf({ namespace: baseNamespace, name: 'kill-session' }), killSession],
  ]);
}

function sessionIdIn({ children }: Element, { sessionId }: Caller): number {
  const [child, another] = children;
  if (!child) throw missingElement('session-id', { type: 'protocol' });
  const isId = child.name === 'session-id' && child.namespace === baseNamespace;
  const unknown = isId ? another : child;
  if (unknown) throw unknownElement(unknown, { type: 'protocol' });
  const text = child.text.trim();
  if (!/^[1-9][0-9]{0,9}$/.test(text))
    throw new RpcError('invalid-value', '<session-id> has to be the id of a session');
  const id = Number(text);
  if (id === sessionId)
    throw new RpcError('invalid-value', 'a session ends itself with <close-session>');
  return id;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
