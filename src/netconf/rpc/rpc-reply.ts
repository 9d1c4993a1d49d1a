import { type Element, element } from '../xml/element.ts';
import { baseNamespace } from './base-namespace.ts';
import type { RpcError } from './rpc-error.ts';

/**
 * The reply to an `<rpc>`, with all its attributes and its declarations of namespaces (RFC 6241 §4.1 and §4.2).
 * @param rpc absent where the message was none
 * @param content empty for `<ok/>`
 */
export function rpcReply(rpc: Element | undefined, content: readonly Element[]): Element {
  const { attributes = [], prefixes = {} } = rpc ?? {};
  const children = content.length === 0 ? [element(baseNamespace, 'ok')] : content;
  return element(baseNamespace, 'rpc-reply', children, { attributes, prefixes });
}

/** An `<rpc-error>`, its elements in the order of RFC 6241 appendix B. */
export function rpcErrorElement(error: RpcError): Element {
  const { type, tag, appTag, path, message, info } = error;
  const one = (name: string, content: string | readonly Element[]) =>
    element(baseNamespace, name, content);
  return one('rpc-error', [
    one('error-type', type),
    one('error-tag', tag),
    one('error-severity', 'error'),
    ...(appTag === undefined ? [] : [one('error-app-tag', appTag)]),
    ...(path
      ? [element(baseNamespace, 'error-path', path.expression, { prefixes: path.prefixes })]
      : []),
    element(baseNamespace, 'error-message', message, { attributes: [english] }),
    ...(info.length === 0 ? [] : [one('error-info', info)]),
  ]);
}

const english = {
  name: 'lang',
  namespace: 'http://www.w3.org/XML/1998/namespace',
  value: 'en',
} as const;
