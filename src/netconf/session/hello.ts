import { baseCapabilities, baseNamespace } from '../rpc/base-namespace.ts';
import { type Element, element } from '../xml/element.ts';
import { writeComment, writeXml } from '../xml/write.ts';

/** The hello of a client is not one of RFC 6241 §8.1. */
export class HelloError extends Error {
  override readonly name = 'HelloError';
}

export interface HelloOptions {
  readonly sessionId: number;
  readonly userName: string;
  readonly capabilities: readonly string[];
}

/** Our hello. Ahead of it a comment tells people as whom they are logged in. */
export function writeHello({ sessionId, userName, capabilities }: HelloOptions): string {
  const list = capabilities.map((uri) => element(baseNamespace, 'capability', uri));
  const hello = element(baseNamespace, 'hello', [
    element(baseNamespace, 'capabilities', list),
    element(baseNamespace, 'session-id', String(sessionId)),
  ]);
  return `${writeComment(`user ${userName}`)}\n${writeXml(hello)}`;
}

/**
 * @returns the base capabilities of the client
 * @throws HelloError
 */
export function baseCapabilitiesOf(hello: Element): readonly string[] {
  if (hello.name !== 'hello' || hello.namespace !== baseNamespace)
    throw new HelloError(`the first message of the client is no <hello> but <${hello.name}>`);
  const named = (name: string) =>
    hello.children.filter((child) => child.namespace === baseNamespace && child.name === name);
  if (named('session-id').length > 0)
    throw new HelloError('the <hello> of the client has a <session-id>');
  const [list, another] = named('capabilities');
  if (!list || another) throw new HelloError('the <hello> of the client needs <capabilities> once');
  const uris = list.children.map(({ text }) => text.trim());
  const bases = baseCapabilities.filter((base) => uris.includes(base));
  if (bases.length === 0)
    throw new HelloError('the client has neither base:1.0 nor base:1.1 among its capabilities');
  return bases;
}
