import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { IdentityError } from '../../identity/identity-error.ts';
import type { Element } from '../xml/element.ts';
import type { MessageLimits } from '../xml/limits.ts';
import { readXml } from '../xml/read.ts';
import { baseNamespace } from './base-namespace.ts';
import { type Caller, nameOf, type Operation, type Operations } from './operation.ts';
import {
  badElement,
  missingAttribute,
  RpcError,
  unknownElement,
  unknownNamespace,
} from './rpc-error.ts';
import { rpcErrorElement, rpcReply } from './rpc-reply.ts';
import { asStandard, isTypedRpc } from './typed-request.ts';

export interface AnswerOptions {
  readonly operations: Operations;
  readonly caller: Caller;
  readonly limits: MessageLimits;
  /** Whether base:1.1 is spoken, whose clients know `malformed-message` (RFC 6241 appendix A). */
  readonly is11: boolean;
  /** Whether requests are taken as people type them. */
  readonly lenient: boolean;
  readonly log: Log;
}

export interface Answer {
  readonly reply: Element;
  /** Whether the message was a correct `<rpc>`. */
  readonly isRpc: boolean;
  readonly error?: RpcError;
}

/** Does what a message asks for. */
export async function answer(message: Uint8Array, options: AnswerOptions): Promise<Answer> {
  let rpc: Element | undefined;
  let isRpc = false;
  let called = '';
  try {
    const root = readMessage(message, options);
    rpc = root.name === 'rpc' ? root : undefined;
    const request = requestOf(root, options);
    isRpc = true;
    called = request.name;
    const content = await operationFor(request, options.operations)(request, options.caller);
    options.log.debug('rpc', { session: options.caller.sessionId, operation: called, tag: 'ok' });
    return { reply: rpcReply(rpc, content), isRpc };
  } catch (thrown) {
    const error = rpcErrorOf(thrown);
    const fields = { session: options.caller.sessionId, operation: called };
    if (error.cause && !(thrown instanceof RpcError))
      options.log.error('request of NETCONF failed', { ...fields, reason: reasonOf(thrown) });
    options.log.debug('rpc', { ...fields, tag: error.tag });
    return { reply: rpcReply(rpc, [rpcErrorElement(error)]), isRpc, error };
  }
}

function readMessage(message: Uint8Array, { limits, is11, lenient }: AnswerOptions): Element {
  try {
    const root = readXml(message, limits);
    return lenient && isTypedRpc(root) ? asStandard(root) : root;
  } catch (error) {
    const tag = is11 ? 'malformed-message' : 'operation-failed';
    throw new RpcError(tag, `The message is no XML: ${reasonOf(error)}`, {
      type: 'rpc',
      cause: error,
    });
  }
}

/** @returns the element of the operation */
function requestOf(rpc: Element, { lenient }: AnswerOptions): Element {
  if (rpc.name !== 'rpc') throw unknownElement(rpc, { type: 'protocol' });
  const hasId = rpc.attributes.some(({ name, namespace }) => name === idName && namespace === '');
  if (!hasId && !lenient) throw missingAttribute(rpc, idName, { type: 'rpc' });
  if (rpc.namespace !== baseNamespace) throw unknownNamespace(rpc, { type: 'protocol' });
  const [request, another] = rpc.children;
  if (!request || another)
    throw badElement(rpc, 'an <rpc> has one operation', { type: 'protocol' });
  return request;
}

const idName = 'message-id';

function operationFor(request: Element, operations: Operations): Operation {
  const operation = operations.get(nameOf(request));
  if (operation) return operation;
  const inNamespace = nameOf({ ...request, name: '' });
  if (![...operations.keys()].some((name) => name.startsWith(inNamespace)))
    throw unknownNamespace(request, { type: 'protocol' });
  const message = `there is no operation <${request.name}>`;
  throw new RpcError('operation-not-supported', message, { type: 'protocol' });
}

/** What a client is told of any error. Of one that nobody foresaw it is told nothing. */
function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof IdentityError && error.code === 'unavailable')
    return new RpcError('resource-denied', error.message, { cause: error });
  const message = 'a fault of the service; the details are in its log';
  return new RpcError('operation-failed', message, { cause: error });
}
