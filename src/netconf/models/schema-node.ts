import type { Element } from '../xml/element.ts';

interface Named {
  readonly name: string;
  readonly namespace: string;
}

/** A container without presence: it is there as far as there is something in it. */
export interface ContainerNode extends Named {
  readonly kind: 'container';
  readonly children: readonly SchemaNode[];
}

/** A list with one key, in an order that is the system's. */
export interface ListNode extends Named {
  readonly kind: 'list';
  readonly key: string;
  readonly children: readonly SchemaNode[];
}

export interface LeafNode extends Named {
  readonly kind: 'leaf';
  readonly type: 'string' | 'binary' | 'empty' | 'identityref';
  readonly mandatory?: true;
}

/** A node of the configuration, as a YANG module declares it. */
export type SchemaNode = ContainerNode | ListNode | LeafNode;

export function findNode<N extends Named>(
  nodes: readonly N[],
  { name, namespace }: Pick<Element, 'name' | 'namespace'>,
): N | undefined {
  return nodes.find((one) => one.name === name && one.namespace === namespace);
}
