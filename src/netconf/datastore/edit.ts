import { findNode, type LeafNode, type ListNode, type SchemaNode } from '../models/schema-node.ts';
import { baseNamespace } from '../rpc/base-namespace.ts';
import {
  badAttribute,
  badElement,
  missingElement,
  RpcError,
  unknownAttribute,
  unknownElement,
  unknownNamespace,
} from '../rpc/rpc-error.ts';
import type { Element } from '../xml/element.ts';
import { type DataNode, innerNode, leafNode, leafOf } from './data-node.ts';
import { errorPath, type PathStep } from './data-path.ts';
import { readLeaf } from './leaf-value.ts';

const operations = ['merge', 'replace', 'create', 'delete', 'remove'] as const;

/** `none` is none that an element can ask for; it comes from default-operation. */
export type EditOperation = (typeof operations)[number] | 'none';

interface Place {
  readonly schemas: readonly SchemaNode[];
  readonly path: readonly PathStep[];
}

/**
 * What a datastore becomes by the `<config>` of an edit-config (RFC 6241 §7.2). Nothing but the form of the data is judged.
 * @throws RpcError of the first fault
 */
export function applyEdit(
  schemas: readonly SchemaNode[],
  before: readonly DataNode[],
  config: Element,
  defaultOperation: EditOperation,
): readonly DataNode[] {
  const base = defaultOperation === 'replace' ? [] : before;
  return editAll(base, config.children, defaultOperation, { schemas, path: [] });
}

function editAll(
  before: readonly DataNode[],
  elements: readonly Element[],
  inherited: EditOperation,
  { schemas, path: above }: Place,
): readonly DataNode[] {
  // An edit may be about each of many thousands of entries
  const nodes = new Map(before.map((node) => [idOf(node.schema, keyValueOf(node)), node]));
  const edited = new Set<string>();
  for (const one of elements) {
    const schema = schemaOf(one, { schemas, path: above });
    const key = schema.kind === 'list' ? keyOf(one, schema, above) : undefined;
    const step = { namespace: schema.namespace, name: schema.name, ...(key && { key }) };
    const path = [...above, step];
    const id = idOf(schema, key?.value);
    if (edited.has(id)) throw badElement(one, `${shown(path)} is there twice`, at(path));
    edited.add(id);
    const next = edit(nodes.get(id), one, schema, inherited, path);
    if (next) nodes.set(id, next);
    else nodes.delete(id);
  }
  return [...nodes.values()];
}

/** Tells a node from those beside it. */
function idOf({ namespace, name }: SchemaNode, key = ''): string {
  return `{${namespace}}${name} ${key}`;
}

function keyValueOf(node: DataNode): string | undefined {
  return node.schema.kind === 'list' ? leafOf(node, node.schema.key) : undefined;
}

/** @returns what becomes of a node; nothing where it goes */
function edit(
  known: DataNode | undefined,
  one: Element,
  schema: SchemaNode,
  inherited: EditOperation,
  path: readonly PathStep[],
): DataNode | undefined {
  const operation = operationOf(one, inherited, path);
  // A container without presence is there if something is in it (RFC 7950 §7.5.1)
  const isThere = known !== undefined && (schema.kind !== 'container' || known.children.length > 0);

  if (operation === 'delete' || operation === 'remove') {
    if (!isThere && operation === 'delete') throw dataMissing(path);
    return undefined;
  }
  if (operation === 'create' && isThere) throw dataExists(path);
  if (operation === 'none' && !isThere && schema.kind !== 'container') throw dataMissing(path);
  return schema.kind === 'leaf'
    ? editLeaf(one, schema, operation, known, path)
    : editInside(one, schema, operation, known, path);
}

function editLeaf(
  one: Element,
  schema: LeafNode,
  operation: EditOperation,
  known: DataNode | undefined,
  path: readonly PathStep[],
): DataNode {
  const value = readLeaf(one, schema, path);
  return operation === 'none' && known ? known : leafNode(schema, value);
}

function editInside(
  one: Element,
  schema: Exclude<SchemaNode, LeafNode>,
  operation: EditOperation,
  known: DataNode | undefined,
  path: readonly PathStep[],
): DataNode {
  if (one.children.length === 0 && one.text.trim() !== '')
    throw badElement(one, `<${one.name}> has text where elements belong`, at(path));
  const isNew = operation === 'replace' || operation === 'create';
  const before = isNew ? [] : (known?.children ?? []);
  // The key is what it is, whatever becomes of the entry
  const keyName = schema.kind === 'list' ? schema.key : undefined;
  const isKey = (name: string) => name === keyName;
  const key = path.at(-1)?.key;
  const keySchema = schema.children.find(({ name }) => isKey(name));
  const others = one.children.filter(
    (child) => !(isKey(child.name) && child.namespace === schema.namespace),
  );
  const start = key && keySchema && before.length === 0 ? [leafNode(keySchema, key.value)] : before;
  return innerNode(schema, editAll(start, others, operation, { schemas: schema.children, path }));
}

function schemaOf(one: Element, { schemas, path }: Place): SchemaNode {
  const found = findNode(schemas, one);
  if (found) return found;
  const where = path.length > 0 ? at(path) : {};
  const isKnownNamespace = schemas.some(({ namespace }) => namespace === one.namespace);
  throw isKnownNamespace ? unknownElement(one, where) : unknownNamespace(one, where);
}

function keyOf(one: Element, { key, namespace, children }: ListNode, path: readonly PathStep[]) {
  const step = { namespace: one.namespace, name: one.name };
  const keys = one.children.filter((child) => child.name === key && child.namespace === namespace);
  const [found, second] = keys;
  const schema = children.find((child) => child.name === key);
  if (!found || schema?.kind !== 'leaf') throw missingElement(key, at([...path, step]));
  if (second) throw badElement(second, `<${key}> is there twice`, at([...path, step]));
  const [attribute] = found.attributes;
  if (attribute) throw unknownAttribute(found, attribute, at([...path, step]));
  const value = readLeaf(found, schema, [...path, step]);
  if (value === '') throw badElement(found, `<${key}> is empty`, at([...path, step]));
  return { name: key, value };
}

function operationOf(
  one: Element,
  inherited: EditOperation,
  path: readonly PathStep[],
): EditOperation {
  let operation = inherited;
  for (const attribute of one.attributes) {
    if (attribute.namespace !== baseNamespace || attribute.name !== 'operation')
      throw unknownAttribute(one, attribute, at(path));
    const found = operations.find((known) => known === attribute.value);
    if (!found)
      throw badAttribute(
        one,
        attribute,
        `'operation' is none of ${operations.join(', ')}`,
        at(path),
      );
    operation = found;
  }
  return operation;
}

function dataMissing(path: readonly PathStep[]): RpcError {
  return new RpcError('data-missing', `${shown(path)} is not there`, at(path));
}

function dataExists(path: readonly PathStep[]): RpcError {
  return new RpcError('data-exists', `${shown(path)} is there already`, at(path));
}

function shown(path: readonly PathStep[]): string {
  const { name = '', key } = path.at(-1) ?? {};
  return key ? `<${name}> ${JSON.stringify(key.value)}` : `<${name}>`;
}

function at(path: readonly PathStep[]) {
  return { type: 'application', path: errorPath(path) } as const;
}
