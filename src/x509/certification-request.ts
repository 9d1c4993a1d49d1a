import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { namesAndUsages } from './certificate.ts';
import {
  type Asn1,
  bitString,
  childrenOf,
  contextConstructed,
  DerError,
  decode,
  encode,
  ia5String,
  oid,
  printableString,
  sequence,
  setOf,
  sortedByEncoding,
  unsignedInteger,
  utf8String,
} from './der.ts';
import { type Extension, subjectAltName, usageExtensions, writeExtensions } from './extensions.ts';
import type { GeneralName } from './general-names.ts';
import { publicKeyInfo, signerFor } from './keys.ts';
import { type NewAttribute, writeName } from './name.ts';
import { extensionIds, type KeyUsage, requestAttributes } from './oids.ts';
import { formatPem } from './pem.ts';

/** What a certification request asks for. It goes to another process, so it is plain JSON. */
export type RequestContent = (NewContent | CopiedContent) & RequestAttributes;

export interface NewContent {
  /** In the order of the name, each an RDN of its own. */
  readonly subject: readonly NewAttribute[];
  readonly alternativeNames: readonly GeneralName[];
  readonly usages: readonly KeyUsage[];
}

/** The names and usages of a certificate that is to have a successor. */
export interface CopiedContent {
  /** Base64 of its DER. */
  readonly certificate: string;
  /** For a certificate without any. */
  readonly alternativeNames: readonly GeneralName[];
}

export interface RequestAttributes {
  readonly challengePassword?: string;
  readonly unstructuredName?: string;
}

/** A PKCS #10 request in PEM, signed with the key that it is for (RFC 2986). */
export function makeRequest(content: RequestContent, privateKey: KeyObject): string {
  const signer = signerFor(privateKey);
  const { subject, extensions } = describe(content);
  const info = sequence(
    unsignedInteger(Buffer.of(0)),
    subject,
    decode(publicKeyInfo(createPublicKey(privateKey))),
    // The attributes field is an implicitly tagged SET OF, so its members are sorted like one
    contextConstructed(0, ...sortedByEncoding(attributesOf(content, extensions))),
  );
  const signature = signer.sign(encode(info));
  const der = encode(sequence(info, signer.algorithm, bitString(signature)));
  return formatPem('CERTIFICATE REQUEST', der);
}

/** The SubjectPublicKeyInfo in a request. @throws DerError when it is none (RFC 2986 §4.1) */
export function requestedKeyInfo(der: Uint8Array): Buffer {
  const [info] = childrenOf(decode(der));
  const [, , key] = childrenOf(info);
  if (!key) throw new DerError('a request has a public key');
  return encode(key);
}

function describe(content: RequestContent): { subject: Asn1; extensions: readonly Extension[] } {
  const { alternativeNames } = content;
  const names = alternativeNames.length > 0 ? [subjectAltName(alternativeNames)] : [];
  if ('certificate' in content) {
    const copied = namesAndUsages(Buffer.from(content.certificate, 'base64'));
    const hasNames = copied.extensions.some(({ id }) => id === extensionIds.subjectAltName);
    return hasNames ? copied : { ...copied, extensions: [...names, ...copied.extensions] };
  }
  const { subject, usages } = content;
  return { subject: writeName(subject), extensions: [...names, ...usageExtensions(usages)] };
}

function attributesOf(content: RequestAttributes, extensions: readonly Extension[]): Asn1[] {
  const attributes: Asn1[] = [];
  if (extensions.length > 0) {
    attributes.push(attribute('extensionRequest', writeExtensions(extensions)));
  }
  if (content.challengePassword) {
    attributes.push(attribute('challengePassword', directoryString(content.challengePassword)));
  }
  if (content.unstructuredName) {
    const value = content.unstructuredName;
    const text = isAscii(value) ? ia5String(value) : utf8String(value);
    attributes.push(attribute('unstructuredName', text));
  }
  return attributes;
}

function attribute(type: keyof typeof requestAttributes, value: Asn1): Asn1 {
  return sequence(oid(requestAttributes[type]), setOf(value));
}

function directoryString(value: string): Asn1 {
  return /^[A-Za-z0-9 '()+,./:=?-]*$/.test(value) ? printableString(value) : utf8String(value);
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
