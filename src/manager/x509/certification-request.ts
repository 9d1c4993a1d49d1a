import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
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
  unsignedInteger,
  utf8String,
} from './der.ts';
import { subjectAltName, usageExtensions, writeExtensions } from './extensions.ts';
import type { GeneralName } from './general-names.ts';
import { publicKeyInfo, signerFor } from './keys.ts';
import { type NewAttribute, writeName } from './name.ts';
import { type KeyUsage, requestAttributes } from './oids.ts';
import { formatPem } from './pem.ts';

/** What a certification request asks for. */
export interface RequestContent {
  /** In the order of the name, each an RDN of its own. */
  readonly subject: readonly NewAttribute[];
  readonly alternativeNames: readonly GeneralName[];
  readonly usages: readonly KeyUsage[];
  readonly challengePassword?: string;
  readonly unstructuredName?: string;
}

/** A PKCS #10 request in PEM, signed with the key that it is for (RFC 2986). */
export function makeRequest(content: RequestContent, privateKey: KeyObject): string {
  const signer = signerFor(privateKey);
  const info = sequence(
    unsignedInteger(Buffer.of(0)),
    writeName(content.subject),
    decode(publicKeyInfo(createPublicKey(privateKey))),
    contextConstructed(0, ...setMembers(attributesOf(content))),
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

function attributesOf(content: RequestContent): Asn1[] {
  const attributes: Asn1[] = [];
  const extensions = [
    ...(content.alternativeNames.length > 0 ? [subjectAltName(content.alternativeNames)] : []),
    ...usageExtensions(content.usages),
  ];
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

/** The attributes field is an implicitly tagged SET OF, so its members are sorted like one. */
function setMembers(attributes: Asn1[]): Asn1[] {
  return [...attributes].sort((a, b) => Buffer.compare(encode(a), encode(b)));
}

function directoryString(value: string): Asn1 {
  return /^[A-Za-z0-9 '()+,./:=?-]*$/.test(value) ? printableString(value) : utf8String(value);
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
