import { Asn1Error, childrenOf, readDer, wrap } from '../../x509/asn1/element.ts';
import {
  any,
  type Bits,
  bitString,
  generalizedTime,
  integer,
  octetString,
  opaqueSequence,
  utf8String,
} from '../../x509/asn1/primitives.ts';
import {
  explicit,
  listOf,
  optional,
  readAs,
  sequence,
  type ValueOf,
} from '../../x509/asn1/structure.ts';
import { infoTypeAndValue, type PkiBody, pkiBody } from './body.ts';
import { algorithmIdentifier } from './certificate-request.ts';

/** PKIHeader (RFC 9810 §5.1.1). Names are GeneralNames, as they stand in the bytes. */
const pkiHeader = sequence({
  pvno: integer,
  sender: any,
  recipient: any,
  messageTime: optional(explicit(0, generalizedTime)),
  protectionAlg: optional(explicit(1, algorithmIdentifier)),
  senderKid: optional(explicit(2, octetString)),
  recipKid: optional(explicit(3, octetString)),
  transactionId: optional(explicit(4, octetString)),
  senderNonce: optional(explicit(5, octetString)),
  recipNonce: optional(explicit(6, octetString)),
  freeText: optional(explicit(7, listOf(utf8String))),
  generalInfo: optional(explicit(8, listOf(infoTypeAndValue))),
});

export type PkiHeader = ValueOf<typeof pkiHeader>;
export type AlgorithmIdentifier = ValueOf<typeof algorithmIdentifier>;

const pkiMessage = sequence({
  header: pkiHeader,
  body: pkiBody,
  protection: optional(explicit(0, bitString)),
  extraCerts: optional(explicit(1, listOf(opaqueSequence))),
});

export interface PkiMessage {
  readonly header: PkiHeader;
  readonly body: PkiBody;
  readonly protection?: Bits | undefined;
  /** Outside of the protection: no more than candidates for a path. */
  readonly extraCerts?: readonly Buffer[] | undefined;
}

/** A message that was received, with the very bytes that its protection is over. */
export interface ReceivedMessage extends PkiMessage {
  readonly protectedPart: Buffer;
}

/** @throws Asn1Error for anything but one PKIMessage in DER */
export function decodeMessage(bytes: Uint8Array): ReceivedMessage {
  const message = readAs(pkiMessage, bytes);
  const [header, body] = childrenOf(readDer(bytes));
  if (!header || !body) throw new Asn1Error('a message has a header and a body');
  const protectedPart = protectedPartOf(header.der, body.der);
  return { ...message, protectedPart };
}

export function encodeMessage(message: PkiMessage): Buffer {
  return pkiMessage.write(message);
}

/** ProtectedPart (RFC 9810 §5.1.3). */
export function partToProtect({ header, body }: PkiMessage): Buffer {
  return protectedPartOf(pkiHeader.write(header), pkiBody.write(body));
}

function protectedPartOf(header: Buffer, body: Buffer): Buffer {
  return wrap(0x30, Buffer.concat([header, body]));
}
