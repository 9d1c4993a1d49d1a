import {
  type Asn1,
  bytesOf,
  childrenOf,
  contextTag,
  DerError,
  decode,
  tags,
  universalTag,
} from './der.ts';
import { type Extension, find } from './extensions.ts';
import { extensionIds } from './oids.ts';

/** The key identifiers of a certificate in hexadecimal, and what is wrong with their form (RFC 5280 §4.2.1.2 and §4.2.1.1). */
export function keyIdentifiersOf(extensions: readonly Extension[]) {
  let fault: string | undefined;
  const read = (
    name: 'subjectKeyIdentifier' | 'authorityKeyIdentifier',
    tag: number,
    keyOf: (value: Asn1) => Asn1 | undefined,
  ): string | undefined => {
    const extension = find(extensions, extensionIds[name]);
    if (!extension) return undefined;
    try {
      const value = decode(extension.value);
      const key = keyOf(value);
      if (universalTag(value) !== tag) throw new DerError('it is of another type');
      if (key === undefined) return undefined;
      const bytes = bytesOf(key);
      if (bytes.length === 0) fault ??= `its ${name} is empty`;
      return bytes.toString('hex');
    } catch {
      // An identifier that cannot be read says nothing
      fault ??= `its ${name} cannot be read`;
      return undefined;
    }
  };
  const keyIdentifier = read('subjectKeyIdentifier', tags.OCTET_STRING, (value) => value);
  const issuerKeyIdentifier = read('authorityKeyIdentifier', tags.SEQUENCE, (value) =>
    childrenOf(value).find((field) => contextTag(field) === 0),
  );
  return { keyIdentifier, issuerKeyIdentifier, keyIdentifierFault: fault };
}
