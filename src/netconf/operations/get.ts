import { CertError } from '../../core/cert-error.ts';
import { certError } from '../datastore/cert-errors.ts';
import { baseNamespace } from '../rpc/base-namespace.ts';
import type { Operation } from '../rpc/operation.ts';
import { badAttribute, RpcError, unknownAttribute } from '../rpc/rpc-error.ts';
import { filterSubtree } from '../rpc/subtree-filter.ts';
import { type Element, element } from '../xml/element.ts';
import { mustBeAllowed, toRead } from './access.ts';
import { mustBeRunning, parametersOf, required } from './parameters.ts';

/** A tree of data that is made when a client wants something of it. */
export interface DataRoot {
  readonly name: string;
  readonly namespace: string;
  /** Empty where there is nothing. @throws CertError */
  read(): readonly Element[];
}

/** `<get>`: the configuration and the state (RFC 6241 §7.7). */
export function getOperation(roots: readonly DataRoot[]): Operation {
  return async (request, caller) => {
    await mustBeAllowed(caller, toRead);
    const { filter } = parametersOf(request, ['filter']);
    return [dataOf(roots, filter)];
  };
}

/** `<get-config>`: the configuration (RFC 6241 §7.1). */
export function getConfigOperation(roots: readonly DataRoot[]): Operation {
  return async (request, caller) => {
    await mustBeAllowed(caller, toRead);
    const { source, filter } = parametersOf(request, ['source', 'filter']);
    mustBeRunning(required(source, 'source'));
    return [dataOf(roots, filter)];
  };
}

function dataOf(roots: readonly DataRoot[], filter: Element | undefined): Element {
  const wanted = filter && selectionOf(filter);
  const read = roots
    .filter((root) => !wanted || wanted.some((one) => mayName(one, root)))
    .flatMap((root) => root.read());
  const data = wanted ? filterSubtree(wanted, read, { keysOf }) : read;
  return element(baseNamespace, 'data', data);
}

/** What of the data a filter asks for. @throws RpcError for a filter that is no subtree filter */
function selectionOf(filter: Element): readonly Element[] {
  for (const attribute of filter.attributes) {
    if (attribute.name !== 'type' || !['', baseNamespace].includes(attribute.namespace))
      throw unknownAttribute(filter, attribute, { type: 'protocol' });
    if (attribute.value !== 'subtree')
      throw badAttribute(filter, attribute, "the only 'type' of a filter here is subtree", {
        type: 'protocol',
      });
  }
  if (filter.text.trim() !== '')
    throw new RpcError('bad-element', '<filter> has text where a subtree belongs', {
      type: 'protocol',
    });
  return filter.children;
}

/** As `filterSubtree` takes names. */
function mayName({ name, namespace }: Element, root: DataRoot): boolean {
  return name === root.name && ['', baseNamespace, root.namespace].includes(namespace);
}

const keys: Readonly<Record<string, readonly string[]>> = {
  'asymmetric-key': ['name'],
  'certificate-bag': ['name'],
  certificate: ['name'],
  datastore: ['name'],
  schema: ['identifier', 'version', 'format'],
  session: ['session-id'],
};

function keysOf({ name }: Element): readonly string[] {
  return keys[name] ?? [];
}

/** Does what asks the manager. @throws RpcError for what it refuses */
export function asking<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CertError ? certError(error) : error;
  }
}
