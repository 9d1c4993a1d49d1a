import {
  any,
  bitString,
  integer,
  nothing,
  objectIdentifier,
  octetString,
  opaqueSequence,
  utf8String,
} from '../../x509/asn1/primitives.ts';
import {
  choice,
  explicit,
  listOf,
  optional,
  sequence,
  type ValueOf,
} from '../../x509/asn1/structure.ts';
import {
  algorithmIdentifier,
  certId,
  certReqMessages,
  revocationRequests,
} from './certificate-request.ts';

/** The bodies of CMP (RFC 9810 §5.3), by the names that the standard has for them. */

const freeText = listOf(utf8String);

const statusInfo = sequence({
  status: integer,
  statusString: optional(freeText),
  failInfo: optional(bitString),
});

export const infoTypeAndValue = sequence({ type: objectIdentifier, value: optional(any) });

const certRepMessage = sequence({
  caPubs: optional(explicit(1, listOf(opaqueSequence))),
  response: listOf(
    sequence({
      certReqId: integer,
      status: statusInfo,
      certifiedKeyPair: optional(
        sequence({
          certOrEncCert: choice({
            certificate: explicit(0, opaqueSequence),
            encryptedCert: explicit(1, any),
          }),
          privateKey: optional(explicit(0, any)),
          publicationInfo: optional(explicit(1, any)),
        }),
      ),
      rspInfo: optional(octetString),
    }),
  ),
});

const certStatuses = listOf(
  sequence({
    certHash: octetString,
    certReqId: integer,
    statusInfo: optional(statusInfo),
    hashAlg: optional(explicit(0, algorithmIdentifier)),
  }),
);

const infos = listOf(infoTypeAndValue);

export const pkiBody = choice({
  ir: explicit(0, certReqMessages),
  ip: explicit(1, certRepMessage),
  cr: explicit(2, certReqMessages),
  cp: explicit(3, certRepMessage),
  p10cr: explicit(4, opaqueSequence),
  kur: explicit(7, certReqMessages),
  kup: explicit(8, certRepMessage),
  rr: explicit(11, revocationRequests),
  rp: explicit(
    12,
    sequence({
      status: listOf(statusInfo),
      revCerts: optional(explicit(0, listOf(certId))),
      crls: optional(explicit(1, listOf(opaqueSequence))),
    }),
  ),
  pkiconf: explicit(19, nothing),
  genm: explicit(21, infos),
  genp: explicit(22, infos),
  error: explicit(
    23,
    sequence({
      pkiStatusInfo: statusInfo,
      errorCode: optional(integer),
      errorDetails: optional(freeText),
    }),
  ),
  certConf: explicit(24, certStatuses),
  pollReq: explicit(25, listOf(sequence({ certReqId: integer }))),
  pollRep: explicit(
    26,
    listOf(sequence({ certReqId: integer, checkAfter: integer, reason: optional(freeText) })),
  ),
});

export type PkiBody = ValueOf<typeof pkiBody>;
export type StatusInfo = ValueOf<typeof statusInfo>;
export type CertRepMessage = ValueOf<typeof certRepMessage>;
