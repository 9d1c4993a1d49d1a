import { constructed, contextClass, wrap } from './asn1/element.ts';
import { integer, objectIdentifier } from './asn1/primitives.ts';

const signedData = objectIdentifier.write('1.2.840.113549.1.7.2');
const data = objectIdentifier.write('1.2.840.113549.1.7.1');
const sequence = 0x30;
const set = 0x31;

/**
 * A CMS SignedData without signatures, as which certificates are handed over (RFC 5652 §5.2, the degenerate case).
 * @param certificates in DER; a SET has no order of theirs
 */
export function certsOnly(certificates: readonly Buffer[]): Buffer {
  const sorted = [...certificates].sort(Buffer.compare);
  const nothing = wrap(set, Buffer.alloc(0));
  const content = wrapAll(sequence, [
    integer.write(1),
    nothing,
    wrap(sequence, data),
    wrapAll(contextClass | constructed, sorted),
    nothing,
  ]);
  const tagged = wrap(contextClass | constructed, content);
  return wrapAll(sequence, [signedData, tagged]);
}

function wrapAll(tag: number, parts: readonly Buffer[]): Buffer {
  return wrap(tag, Buffer.concat(parts));
}
