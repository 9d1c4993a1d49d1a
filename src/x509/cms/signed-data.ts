import { wrap } from '../asn1/element.ts';
import { any, integer, largeInteger, objectIdentifier, octetString } from '../asn1/primitives.ts';
import {
  choice,
  explicit,
  implicit,
  optional,
  sequence,
  setOf,
  type Type,
  type ValueOf,
} from '../asn1/structure.ts';

/** SignedData of the Cryptographic Message Syntax (RFC 5652 §5), as data. */

export const contentTypes = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
} as const;

export const attributeTypes = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
} as const;

export const algorithmIdentifier = sequence({
  algorithm: objectIdentifier,
  parameters: optional(any),
});

export type AlgorithmIdentifier = ValueOf<typeof algorithmIdentifier>;

const attribute = sequence({ type: objectIdentifier, values: setOf(any) });

export type Attribute = ValueOf<typeof attribute>;

export const attributes = setOf(attribute);

/** The bytes of a SET under its own tag: what a signature is made over (RFC 5652 §5.4). */
const opaqueSet: Type<Buffer> = {
  tags: [0x31],
  read: ({ tag, content }) => wrap(tag, content),
  write: (der) => Buffer.from(der),
};

const signerIdentifier = choice({
  issuerAndSerialNumber: sequence({ issuer: any, serialNumber: largeInteger }),
  subjectKeyIdentifier: implicit(0, octetString),
});

export const signerInfo = sequence({
  version: integer,
  sid: signerIdentifier,
  digestAlgorithm: algorithmIdentifier,
  signedAttrs: optional(implicit(0, opaqueSet)),
  signatureAlgorithm: algorithmIdentifier,
  signature: octetString,
  unsignedAttrs: optional(implicit(1, opaqueSet)),
});

export type SignerInfo = ValueOf<typeof signerInfo>;

export const signedData = sequence({
  version: integer,
  digestAlgorithms: setOf(algorithmIdentifier),
  encapContentInfo: sequence({
    eContentType: objectIdentifier,
    eContent: optional(explicit(0, octetString)),
  }),
  certificates: optional(implicit(0, setOf(any))),
  crls: optional(implicit(1, opaqueSet)),
  signerInfos: setOf(signerInfo),
});

export type SignedData = ValueOf<typeof signedData>;

export const contentInfo = sequence({
  contentType: objectIdentifier,
  content: explicit(0, signedData),
});
