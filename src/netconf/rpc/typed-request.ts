import { type Element, element } from '../xml/element.ts';
import { baseNamespace } from './base-namespace.ts';

/** Whether a message is a request, with a namespace or without, as people type it. */
export function isTypedRpc({ name, namespace }: Element): boolean {
  return name === 'rpc' && ['', baseNamespace].includes(namespace);
}

/** A request that was typed, as the standard has it: what has no namespace is of that of the messages, and Junos' `get-configuration` is `get-config`. */
export function asStandard(typed: Element): Element {
  const children = typed.children.map(asStandard);
  const namespace = typed.namespace || baseNamespace;
  const isAlias =
    namespace === baseNamespace &&
    typed.name === 'get-configuration' &&
    typed.attributes.length + children.length === 0;
  if (isAlias) return { ...typed, ...getConfigOfRunning };
  return { ...typed, namespace, children };
}

const running = element(baseNamespace, 'source', [element(baseNamespace, 'running')]);
const { name, namespace, children, text } = element(baseNamespace, 'get-config', [running]);
const getConfigOfRunning = { name, namespace, children, text };
