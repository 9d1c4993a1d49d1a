import type { SchemaNode } from '../models/schema-node.ts';
import { type Element, element } from '../xml/element.ts';

/** A node of a datastore; an entry of a list is one node. */
export interface DataNode {
  readonly schema: SchemaNode;
  /** Of a leaf, in canonical form: an identityref is `{namespace}name`, and base64 has no white space. */
  readonly value: string;
  readonly children: readonly DataNode[];
}

export function leafNode(schema: SchemaNode, value: string): DataNode {
  return { schema, value, children: [] };
}

export function innerNode(schema: SchemaNode, children: readonly DataNode[]): DataNode {
  return { schema, value: '', children };
}

/** The value of a leaf inside a node. */
export function leafOf(node: DataNode, name: string): string | undefined {
  return node.children.find(({ schema }) => schema.kind === 'leaf' && schema.name === name)?.value;
}

/** What is at a path of names below a node: all entries of a list, or a container. */
export function nodesAt(nodes: readonly DataNode[], ...path: readonly string[]): DataNode[] {
  const [name, ...below] = path;
  const found = nodes.filter(({ schema }) => schema.name === name);
  return below.length === 0 ? found : found.flatMap(({ children }) => nodesAt(children, ...below));
}

/** Writes nodes as XML. Containers with nothing in them are left out. */
export function toElements(nodes: readonly DataNode[]): Element[] {
  return nodes.flatMap(({ schema, value, children }) => {
    const { namespace, name } = schema;
    if (schema.kind !== 'leaf') {
      const inner = toElements(children);
      const isEmpty = schema.kind === 'container' && inner.length === 0;
      return isEmpty ? [] : [element(namespace, name, inner)];
    }
    if (schema.type !== 'identityref') return [element(namespace, name, value)];
    const [, space = '', identity = ''] = /^\{(.*)\}(.*)$/.exec(value) ?? [];
    return [element(namespace, name, `id:${identity}`, { prefixes: { id: space } })];
  });
}
