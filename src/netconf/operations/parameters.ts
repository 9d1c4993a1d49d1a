import { baseNamespace } from '../rpc/base-namespace.ts';
import {
  badElement,
  missingElement,
  RpcError,
  unknownAttribute,
  unknownElement,
  unknownNamespace,
} from '../rpc/rpc-error.ts';
import type { Element } from '../xml/element.ts';

const at = { type: 'protocol' } as const;

/**
 * The parameters of an operation by their names, each of them once at most, all of the namespace of the operation.
 * @throws RpcError for one that it does not have
 */
export function parametersOf<N extends string>(
  request: Element,
  names: readonly N[],
): Partial<Record<N, Element>> {
  if (request.text.trim() !== '')
    throw badElement(request, `<${request.name}> has text where parameters belong`, at);
  const found: Partial<Record<N, Element>> = {};
  for (const one of request.children) {
    const name = names.find((known) => known === one.name);
    if (one.namespace !== request.namespace) throw unknownNamespace(one, at);
    if (name === undefined) throw unknownElement(one, at);
    if (found[name]) throw badElement(one, `<${name}> is there twice`, at);
    found[name] = one;
  }
  return found;
}

export function required(parameter: Element | undefined, name: string): Element {
  if (parameter) return parameter;
  throw missingElement(name, at);
}

/** The text of a parameter that is one of a few words. @throws RpcError `invalid-value` */
export function wordOf<W extends string>(parameter: Element, words: readonly W[]): W {
  refuseAttributes(parameter);
  const word = words.find((one) => one === textOf(parameter));
  if (word !== undefined) return word;
  const message = `<${parameter.name}> is none of ${words.join(', ')}`;
  throw new RpcError('invalid-value', message, at);
}

/** @throws RpcError `bad-element` for elements where text belongs */
export function textOf(parameter: Element): string {
  if (parameter.children.length === 0) return parameter.text.trim();
  throw badElement(parameter, `<${parameter.name}> has elements where text belongs`, at);
}

const otherDatastores = ['candidate', 'startup', 'url'];

/** Of `<source>` and `<target>`: running is the one datastore that there is. @throws RpcError */
export function mustBeRunning(parameter: Element): void {
  refuseAttributes(parameter);
  const [datastore, second] = parameter.children;
  if (!datastore) throw missingElement('running', at);
  if (second) throw badElement(second, `<${parameter.name}> names two datastores`, at);
  if (datastore.namespace !== baseNamespace) throw unknownNamespace(datastore, at);
  if (otherDatastores.includes(datastore.name)) {
    const message = `there is no <${datastore.name}> here: the datastore is <running>`;
    throw new RpcError('operation-not-supported', message, at);
  }
  if (datastore.name !== 'running') throw unknownElement(datastore, at);
  refuseAttributes(datastore);
}

export function refuseAttributes(parameter: Element): void {
  const [attribute] = parameter.attributes;
  if (attribute) throw unknownAttribute(parameter, attribute, at);
}
