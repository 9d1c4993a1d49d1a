import { namesAndUsages } from './certificate.ts';
import {
  type Asn1,
  bytesOf,
  childrenOf,
  contextTag,
  DerError,
  decode,
  oidOf,
  tags,
  universalTag,
} from './der.ts';
import { readString } from './name.ts';
import { extensionIds } from './oids.ts';

/**
 * A subject alternative name as a certificate has it (RFC 5280 §4.2.1.6), for decisions about the identity of a client:
 * `value` is `undefined` where the element is not what its kind demands, so that no part of it counts.
 */
export type SubjectAltName =
  | { readonly kind: 'rfc822Name' | 'dNSName'; readonly value: string | undefined }
  | { readonly kind: 'iPAddress'; readonly value: Buffer | undefined }
  | { readonly kind: 'directoryName'; readonly value: CommonNames | undefined }
  | { readonly kind: 'other' };

/** Every common name of a distinguished name, in its order; `undefined` for a value that is no text. */
export type CommonNames = readonly (string | undefined)[];

/** The names by which the owner of a certificate may be known, read from its DER. */
export interface SubjectNames {
  readonly commonNames: CommonNames;
  /** In the order of the certificate. */
  readonly alternativeNames: readonly SubjectAltName[];
}

/**
 * @param der of a certificate that `readCertificate` took, so there is no more of it than is read
 * @throws DerError when the extension has another structure than RFC 5280 demands, or is there twice
 */
export function readSubjectNames(der: Uint8Array): SubjectNames {
  const { subject, extensions } = namesAndUsages(der);
  const [names, ...others] = extensions.filter(({ id }) => id === extensionIds.subjectAltName);
  // Implementations disagree about which of two counts
  if (others.length > 0) throw new DerError('the alternative names are there twice');
  const nodes = names ? childrenOf(decode(names.value, Number.POSITIVE_INFINITY)) : [];
  return { commonNames: commonNamesOf(subject), alternativeNames: nodes.map(readAlternativeName) };
}

/** RFC 5280 §4.2.1.6: the directory name is tagged explicitly, because Name is a CHOICE. */
function readAlternativeName(node: Asn1): SubjectAltName {
  switch (contextTag(node)) {
    case 1:
      return { kind: 'rfc822Name', value: asciiOf(node) };
    case 2:
      return { kind: 'dNSName', value: asciiOf(node) };
    case 4:
      return { kind: 'directoryName', value: directoryNameOf(node) };
    case 7:
      return { kind: 'iPAddress', value: addressOf(node) };
    default:
      return { kind: 'other' };
  }
}

/** An IA5String without control characters: a NUL or line feed belongs to no name. */
function asciiOf(node: Asn1): string | undefined {
  const bytes = bytesOf(node);
  return bytes.every((byte) => byte > 0x1f && byte < 0x7f) ? bytes.toString('latin1') : undefined;
}

function addressOf(node: Asn1): Buffer | undefined {
  const bytes = bytesOf(node);
  return bytes.length === 4 || bytes.length === 16 ? bytes : undefined;
}

function directoryNameOf(node: Asn1): CommonNames | undefined {
  const [name, ...others] = childrenOf(node);
  if (!name || others.length > 0 || universalTag(name) !== tags.SEQUENCE) return undefined;
  return commonNamesOf(name);
}

/** The attributes are told by their object identifiers, so text such as `CN=root` in a value is no name. */
function commonNamesOf(name: Asn1): CommonNames {
  const attributes = childrenOf(name).flatMap((rdn) => childrenOf(rdn));
  return attributes.flatMap((attribute) => {
    const [type, value, ...others] = childrenOf(attribute);
    if (oidOf(type) !== commonName) return [];
    if (others.length > 0) throw new DerError('an attribute has more than a type and a value');
    return [textOf(value)];
  });
}

const commonName = '2.5.4.3';

/** The string types of RFC 5280 for new certificates, and BMPString, which older authorities of Windows write. */
const textTags: readonly (number | undefined)[] = [
  tags.UTF8_STRING,
  tags.PRINTABLE_STRING,
  tags.BMP_STRING,
];

function textOf(value: Asn1 | undefined): string | undefined {
  return textTags.includes(universalTag(value)) ? readString(value) : undefined;
}
