import {
  any,
  bitString,
  integer,
  largeInteger,
  nothing,
  objectIdentifier,
  opaqueSequence,
} from '../../x509/asn1/primitives.ts';
import {
  choice,
  explicit,
  implicit,
  listOf,
  optional,
  sequence,
} from '../../x509/asn1/structure.ts';

/** What is asked of a CA (RFC 4211). Its module has implicit tags, but for CHOICEs such as Name. */

export const algorithmIdentifier = sequence({
  algorithm: objectIdentifier,
  parameters: optional(any),
});

const typeAndValue = sequence({ type: objectIdentifier, value: any });

const certTemplate = sequence({
  version: optional(implicit(0, integer)),
  serialNumber: optional(implicit(1, largeInteger)),
  signingAlg: optional(implicit(2, opaqueSequence)),
  issuer: optional(explicit(3, opaqueSequence)),
  validity: optional(implicit(4, opaqueSequence)),
  subject: optional(explicit(5, opaqueSequence)),
  publicKey: optional(implicit(6, opaqueSequence)),
  issuerUid: optional(implicit(7, bitString)),
  subjectUid: optional(implicit(8, bitString)),
  extensions: optional(implicit(9, opaqueSequence)),
});

export const certRequest = sequence({
  certReqId: integer,
  certTemplate,
  controls: optional(listOf(typeAndValue)),
});

/** Keys that cannot sign are out of scope; their proofs are carried as they are. */
const proofOfPossession = choice({
  raVerified: implicit(0, nothing),
  signature: implicit(
    1,
    sequence({
      poposkInput: optional(implicit(0, opaqueSequence)),
      algorithmIdentifier,
      signature: bitString,
    }),
  ),
  keyEncipherment: explicit(2, any),
  keyAgreement: explicit(3, any),
});

export const certReqMessages = listOf(
  sequence({
    // Kept as its bytes: the proof of possession signs them
    certReq: opaqueSequence,
    popo: optional(proofOfPossession),
    regInfo: optional(listOf(typeAndValue)),
  }),
);

export const certId = sequence({ issuer: any, serialNumber: largeInteger });

export const revocationRequests = listOf(
  sequence({ certDetails: certTemplate, crlEntryDetails: optional(opaqueSequence) }),
);
