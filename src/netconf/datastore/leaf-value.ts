import type { LeafNode } from '../models/schema-node.ts';
import { badElement, RpcError } from '../rpc/rpc-error.ts';
import type { Element } from '../xml/element.ts';
import { errorPath, type PathStep } from './data-path.ts';

/** The value of a leaf in canonical form, see `DataNode`. @throws RpcError `invalid-value`, `bad-element` */
export function readLeaf(
  one: Element,
  { name, type }: LeafNode,
  path: readonly PathStep[],
): string {
  const at = { type: 'application', path: errorPath(path) } as const;
  if (one.children.length > 0) throw badElement(one, `<${name}> has elements inside`, at);
  const invalid = (why: string) => new RpcError('invalid-value', `<${name}> ${why}`, at);
  const text = one.text.trim();
  switch (type) {
    case 'string':
      return one.text;
    case 'empty':
      if (text !== '') throw invalid('has no value');
      return '';
    case 'binary': {
      const base64 = one.text.replace(/\s+/g, '');
      const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(base64) && base64.length % 4 === 0;
      if (!isBase64) throw invalid('is no base64');
      return base64;
    }
    case 'identityref': {
      const [, prefix = '', identity = ''] = /^(?:([^:]+):)?([^:\s]+)$/.exec(text) ?? [];
      // Without prefix it is of the default namespace (RFC 7950 §9.10.3)
      const namespace = one.prefixes[prefix];
      if (identity === '' || namespace === undefined) throw invalid('names no identity');
      return `{${namespace}}${identity}`;
    }
  }
}
