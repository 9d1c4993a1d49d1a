import { readObjectIdentifier, writeObjectIdentifier } from '../object-identifier.ts';
import { Asn1Error, contentFaults, type Element, wrap } from './element.ts';
import type { Type } from './structure.ts';

/** ANY, as it stands in the bytes. */
export const any: Type<Buffer> = { read: ({ der }) => der, write: (der) => Buffer.from(der) };

/** What another room reads: the bytes of a SEQUENCE. */
export const opaqueSequence: Type<Buffer> = {
  tags: [0x30],
  // Under an implicit tag the bytes have that tag
  read: ({ tag, content }) => wrap(tag, content),
  write: (der) => Buffer.from(der),
};

/** An INTEGER that a number of JavaScript can hold. */
export const integer = primitive(
  2,
  (content) => {
    if (content.length > 6) throw new Asn1Error('an INTEGER is larger than any that is in use');
    return content.readIntBE(0, content.length);
  },
  (value: number) => {
    let bytes = 1;
    while (value < -(2 ** (8 * bytes - 1)) || value >= 2 ** (8 * bytes - 1)) bytes += 1;
    const content = Buffer.alloc(bytes);
    content.writeIntBE(value, 0, bytes);
    return content;
  },
);

/** An INTEGER of any size, as its bytes. */
export const largeInteger = primitive(2, sameBytes, sameBytes);

export const octetString = primitive(4, sameBytes, sameBytes);

export const nothing = primitive(
  5,
  () => null,
  () => Buffer.alloc(0),
);

export interface Bits {
  readonly bytes: Buffer;
  /** How many of the low bits of the last byte do not count. */
  readonly unused: number;
}

export const bitString = primitive(
  3,
  ([unused = 0, ...bytes]): Bits => ({ bytes: Buffer.from(bytes), unused }),
  ({ bytes, unused }: Bits) => Buffer.concat([Buffer.of(unused), bytes]),
);

export function wholeBytes(bytes: Uint8Array): Bits {
  return { bytes: Buffer.from(bytes), unused: 0 };
}

/** The numbers of the bits that are set (X.680 §22). */
export function namedBits({ bytes }: Bits): number[] {
  return [...bytes].flatMap((octet, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7]
      .filter((bit) => (octet & (0x80 >> bit)) !== 0)
      .map((bit) => 8 * at + bit),
  );
}

export const objectIdentifier = primitive(
  6,
  (content) => {
    const dotted = readObjectIdentifier(content);
    if (dotted === undefined) throw new Asn1Error('an OBJECT IDENTIFIER cannot be read');
    return dotted;
  },
  writeObjectIdentifier,
);

export const utf8String = primitive(
  12,
  (content) => content.toString('utf8'),
  (text: string) => Buffer.from(text, 'utf8'),
);

/** GeneralizedTime as DER has it (X.690 §11.7), as its text: some peers add fractions, and it must be written as it was read. */
export const generalizedTime = primitive(
  24,
  (content) => {
    const text = content.toString('latin1');
    if (!/^\d{14}(\.\d*[1-9])?Z$/.test(text)) throw new Asn1Error('a GeneralizedTime is no DER');
    return text;
  },
  (text: string) => Buffer.from(text, 'latin1'),
);

export function generalizedTimeOf(date: Date): string {
  return date.toISOString().replace(/[-:T]|\.\d{3}/g, '');
}

function primitive<T>(
  tag: number,
  read: (content: Buffer) => T,
  write: (value: T) => Buffer,
): Type<T> {
  return {
    tags: [tag],
    read({ content }: Element) {
      contentFaults[tag]?.(content);
      return read(content);
    },
    write: (value) => wrap(tag, write(value)),
  };
}

function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}
