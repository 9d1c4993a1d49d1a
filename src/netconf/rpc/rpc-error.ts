import { type Attribute, type Element, element, type Prefixes } from '../xml/element.ts';
import { baseNamespace } from './base-namespace.ts';

/** The layer of NETCONF at which an error occurred (RFC 6241 §4.3). */
export type ErrorType = 'transport' | 'rpc' | 'protocol' | 'application';

/** The tags of RFC 6241 appendix A that are not obsolete, each with the types that it may have; the last is taken unless another is given. */
export const errorTypes = {
  'in-use': ['protocol', 'application'],
  'invalid-value': ['protocol', 'application'],
  'too-big': ['transport', 'rpc', 'protocol', 'application'],
  'missing-attribute': ['rpc', 'protocol', 'application'],
  'bad-attribute': ['rpc', 'protocol', 'application'],
  'unknown-attribute': ['rpc', 'protocol', 'application'],
  'missing-element': ['protocol', 'application'],
  'bad-element': ['protocol', 'application'],
  'unknown-element': ['protocol', 'application'],
  'unknown-namespace': ['protocol', 'application'],
  'access-denied': ['protocol', 'application'],
  'lock-denied': ['protocol'],
  'resource-denied': ['transport', 'rpc', 'protocol', 'application'],
  'rollback-failed': ['protocol', 'application'],
  'data-exists': ['application'],
  'data-missing': ['application'],
  'operation-not-supported': ['protocol', 'application'],
  'operation-failed': ['rpc', 'protocol', 'application'],
  'malformed-message': ['rpc'],
} as const satisfies Record<string, readonly ErrorType[]>;

export type ErrorTag = keyof typeof errorTypes;

/** An XPath expression that names the element with the error, and what its prefixes stand for. */
export interface ErrorPath {
  readonly expression: string;
  readonly prefixes: Prefixes;
}

export interface RpcErrorDetails extends ErrorOptions {
  readonly type?: ErrorType;
  readonly appTag?: string;
  readonly path?: ErrorPath;
  /** The content of error-info. */
  readonly info?: readonly Element[];
}

/** Why an operation was not done, in the words of an `<rpc-error>` (RFC 6241 §4.3). */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly tag: ErrorTag;
  readonly type: ErrorType;
  readonly appTag: string | undefined;
  readonly path: ErrorPath | undefined;
  readonly info: readonly Element[];

  /** @param message one sentence for the client, which says what to do */
  constructor(tag: ErrorTag, message: string, details: RpcErrorDetails = {}) {
    super(message, details);
    this.tag = tag;
    this.type = details.type ?? errorTypes[tag].at(-1) ?? 'application';
    this.appTag = details.appTag;
    this.path = details.path;
    this.info = details.info ?? [];
  }
}

type At = Pick<RpcErrorDetails, 'type' | 'path'>;
type Named = Pick<Element, 'name'>;

/** The element is not one that may stand there. */
export function unknownElement({ name }: Named, at: At = {}): RpcError {
  const message = `<${name}> is not known here`;
  return new RpcError('unknown-element', message, { ...at, info: [infoOf('bad-element', name)] });
}

/** The name of the element is of a namespace that nothing here has. */
export function unknownNamespace({ name, namespace }: Element, at: At = {}): RpcError {
  const message = `<${name}> is of the namespace '${namespace}', which is not known here`;
  const info = [infoOf('bad-element', name), infoOf('bad-namespace', namespace)];
  return new RpcError('unknown-namespace', message, { ...at, info });
}

/** An element with this name has to be there. */
export function missingElement(name: string, at: At = {}): RpcError {
  const message = `<${name}> is missing`;
  return new RpcError('missing-element', message, { ...at, info: [infoOf('bad-element', name)] });
}

/** @param reason one sentence about the value of the element */
export function badElement({ name }: Named, reason: string, at: At = {}): RpcError {
  return new RpcError('bad-element', reason, { ...at, info: [infoOf('bad-element', name)] });
}

/** The element has to have an attribute with this name. */
export function missingAttribute({ name }: Named, attribute: string, at: At = {}): RpcError {
  const message = `<${name}> needs the attribute '${attribute}'`;
  return new RpcError('missing-attribute', message, { ...at, info: infoAbout(attribute, name) });
}

/** The element may not have the attribute. */
export function unknownAttribute({ name }: Named, attribute: Attribute, at: At = {}): RpcError {
  const message = `<${name}> does not take the attribute '${attribute.name}'`;
  const info = infoAbout(attribute.name, name);
  return new RpcError('unknown-attribute', message, { ...at, info });
}

/** @param reason one sentence about the value of the attribute */
export function badAttribute(
  { name }: Named,
  attribute: Attribute,
  reason: string,
  at: At = {},
): RpcError {
  return new RpcError('bad-attribute', reason, { ...at, info: infoAbout(attribute.name, name) });
}

function infoAbout(attribute: string, name: string): Element[] {
  return [infoOf('bad-attribute', attribute), infoOf('bad-element', name)];
}

function infoOf(name: string, text: string): Element {
  return element(baseNamespace, name, text);
}
