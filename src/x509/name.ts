import { createHash } from 'node:crypto';
import {
  type Asn1,
  bmpTextOf,
  bytesOf,
  childrenOf,
  DerSizeError,
  encode,
  ia5String,
  oid,
  oidOf,
  printableString,
  sequence,
  setOf,
  tags,
  universalTag,
  utf8String,
} from './der.ts';
import { usualLimits } from './limits.ts';
import { attributeTypes } from './oids.ts';

/** One attribute of a distinguished name; `type` is OpenSSL's short name or a dotted OID. */
export interface Attribute {
  readonly type: string;
  readonly value: string;
}

/** A distinguished name: RDNs in the order of the certificate, each with its attributes. */
export type Name = readonly (readonly Attribute[])[];

/**
 * Reads a Name (RFC 5280 §4.1.2.4); every string type is turned into Unicode.
 * @throws DerSizeError for one with more attributes than are read
 */
export function readName(node: Asn1 | undefined, { nameAttributes } = usualLimits): Name {
  const parts = childrenOf(node);
  if (parts.reduce((sum, rdn) => sum + childrenOf(rdn).length, 0) > nameAttributes)
    throw new DerSizeError(`a name has more than ${nameAttributes} attributes`);
  return parts.map((rdn) =>
    childrenOf(rdn).map((attribute) => {
      const [type, value] = childrenOf(attribute);
      return { type: shortName(oidOf(type)), value: readString(value) };
    }),
  );
}

/** An attribute that we write, by OpenSSL's short name of its type. */
export interface NewAttribute {
  readonly type: AttributeType;
  readonly value: string;
}

export type AttributeType = (typeof attributeTypes)[keyof typeof attributeTypes];

/** A name of single-valued RDNs; strings are UTF8String but where X.520 and PKCS #9 say otherwise. */
export function writeName(attributes: readonly NewAttribute[]): Asn1 {
  return sequence(
    ...attributes.map(({ type, value }) =>
      setOf(sequence(oid(oidByType(type)), attributeString(type, value))),
    ),
  );
}

/**
 * The form of OpenSSL's `XN_FLAG_SEP_COMMA_PLUS`, which clients split at the commas: nothing is
 * escaped but NUL. Unlike upstream the text is UTF-8.
 */
export function formatName(name: Name): string {
  const text = name.map((rdn) => rdn.map((a) => `${a.type}=${a.value}`).join('+')).join(',');
  // A D-Bus string cannot carry a NUL, and a name that is cut off at one would say something else
  return text.replaceAll('\0', '\\x00').replace(noncharacters, '\ufffd');
}

/** Code points that are no characters (Unicode §23.7), which sd-bus refuses in strings. */
const noncharacters = /\p{Noncharacter_Code_Point}/gu;

/** The values of an attribute in their order, so that the first one is the leading one. */
export function valuesOf(name: Name, type: string): string[] {
  return name.flatMap((rdn) => rdn.filter((a) => a.type === type).map((a) => a.value));
}

/** Equal for names that are the same but for case and white space (RFC 5280 §7.1). */
export function nameKey(name: Name): string {
  const known = nameKeys.get(name);
  if (known !== undefined) return known;
  const text = name.map((rdn) => rdn.map((a) => [a.type, canonicalText(a.value)].join('=')).sort());
  const key = JSON.stringify(text);
  nameKeys.set(name, key);
  return key;
}

/** A cache of `nameKey`, which is a pure function; lists of certificates are compared with every request. */
const nameKeys = new WeakMap<Name, string>();

export function sameName(a: Name, b: Name): boolean {
  return nameKey(a) === nameKey(b);
}

/**
 * The eight hexadecimal digits that OpenSSL ≥ 1.0 looks up in a `-CApath` directory
 * (`X509_NAME_hash`): SHA-1 of the canonical encoding, its first four bytes little-endian.
 */
export function subjectHash(nameNode: Asn1): string {
  const digest = createHash('sha1').update(canonicalEncoding(nameNode)).digest();
  return digest.readUInt32LE(0).toString(16).padStart(8, '0');
}

/** Reads any of the string types as Unicode text. */
export function readString(node: Asn1 | undefined): string {
  const bytes = bytesOf(node);
  switch (universalTag(node)) {
    case tags.UTF8_STRING:
      return bytes.toString('utf8');
    case tags.BMP_STRING:
      return node ? Buffer.from(bmpTextOf(node)).toString() : '';
    case tags.UNIVERSAL_STRING:
      return readUcs4(bytes);
    default:
      return bytes.toString('latin1');
  }
}

function readUcs4(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const point = bytes.readUInt32BE(at);
    text += point <= 0x10ffff ? String.fromCodePoint(point) : '�';
  }
  return text;
}

function attributeString(type: AttributeType, value: string): Asn1 {
  if (type === 'C' || type === 'serialNumber') return printableString(value);
  if (type === 'emailAddress' || type === 'DC') return ia5String(value);
  return utf8String(value);
}

function oidByType(type: AttributeType): string {
  const entry = Object.entries(attributeTypes).find(([, name]) => name === type);
  if (!entry) throw new TypeError(`no object identifier for ${type}`);
  return entry[0];
}

function shortName(dotted: string): string {
  return Object.hasOwn(attributeTypes, dotted)
    ? attributeTypes[dotted as keyof typeof attributeTypes]
    : dotted;
}

const stringTags: readonly (number | undefined)[] = [
  tags.UTF8_STRING,
  tags.PRINTABLE_STRING,
  tags.T61_STRING,
  tags.IA5_STRING,
  tags.VISIBLE_STRING,
  tags.UNIVERSAL_STRING,
  tags.BMP_STRING,
];

function canonicalEncoding(nameNode: Asn1): Buffer {
  const sets = childrenOf(nameNode).map((rdn) => {
    const attributes = childrenOf(rdn).map((attribute) => {
      const [type, value] = childrenOf(attribute);
      if (!type || !value || !stringTags.includes(universalTag(value))) return attribute;
      return sequence(type, utf8String(canonicalText(readString(value))));
    });
    return encode(setOf(...attributes));
  });
  return Buffer.concat(sets);
}

/** White space trimmed and collapsed, ASCII lower-cased; other letters keep their case. */
function canonicalText(text: string): string {
  // Collapsed first: to look for the end after each of many spaces takes the square of their number
  return text
    .replace(/[ \t\n\v\f\r]+/g, ' ')
    .replace(/^ | $/g, '')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
