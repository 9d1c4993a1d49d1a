import type { KeyObject } from 'node:crypto';
import { childrenOf, readDer } from '../x509/asn1/element.ts';
import { wholeBytes } from '../x509/asn1/primitives.ts';
import { namesAndUsages } from '../x509/certificate.ts';
import { contextConstructed, decode, encode } from '../x509/der.ts';
import { subjectAltName, writeExtensions } from '../x509/extensions.ts';
import type { GeneralName } from '../x509/general-names.ts';
import { publicKeyInfo } from '../x509/keys.ts';
import { type NewAttribute, writeName } from '../x509/name.ts';
import type { PkiBody } from './messages/body.ts';
import { certId, certRequest } from './messages/certificate-request.ts';
import type { SignBytes } from './protection/protect.ts';
import { algorithmFor, identifierOf } from './protection/signature.ts';
import type { Operation } from './transaction/transaction.ts';

/** What is asked of the CA. */
export interface Template {
  readonly subject: readonly NewAttribute[];
  readonly names: readonly GeneralName[];
  readonly publicKey: KeyObject;
  /** DER of the certificate that a kur updates. */
  readonly old?: Buffer | undefined;
}

const oldCertIdControl = '1.3.6.1.5.5.7.5.1.5';

/** An ir, cr or kur with its proof of possession: the signature over the request (RFC 4211 §4.1). */
export async function requestBody(
  kind: Operation,
  { subject, names, publicKey, old }: Template,
  sign: SignBytes,
): Promise<PkiBody> {
  const extensions = names.length > 0 ? [subjectAltName(names)] : [];
  const certReq = certRequest.write({
    certReqId: 0,
    certTemplate: {
      subject: subject.length > 0 ? encode(writeName(subject)) : undefined,
      publicKey: publicKeyInfo(publicKey),
      extensions: extensions.length > 0 ? encode(writeExtensions(extensions)) : undefined,
    },
    controls:
      old && kind === 'kur' ? [{ type: oldCertIdControl, value: oldCertId(old) }] : undefined,
  });
  const algorithm = algorithmFor(publicKey);
  const value = {
    algorithmIdentifier: identifierOf(algorithm),
    signature: wholeBytes(await sign(algorithm, certReq)),
  };
  return { kind, value: [{ certReq, popo: { kind: 'signature', value } }] };
}

/** A directoryName (RFC 5280 §4.2.1.6): a Name is a CHOICE, so its tag is explicit. */
function directoryName(name: Buffer): Buffer {
  return encode(contextConstructed(4, decode(name)));
}

/** The GeneralName of a name of ours. */
export function generalNameOf(attributes: readonly NewAttribute[]): Buffer {
  return directoryName(encode(writeName(attributes)));
}

/** The GeneralName of the subject of a certificate. */
export function subjectOf(certificate: Buffer): Buffer {
  return directoryName(encode(namesAndUsages(certificate).subject));
}

/** The certificate by its issuer and number, in the very bytes of the certificate. */
function oldCertId(certificate: Buffer): Buffer {
  const [tbs] = childrenOf(readDer(certificate));
  const fields = tbs ? childrenOf(tbs) : [];
  const isVersioned = fields[0]?.tag === 0xa0;
  const [serial, , issuer] = isVersioned ? fields.slice(1) : fields;
  return certId.write({
    issuer: directoryName(issuer?.der ?? Buffer.alloc(0)),
    serialNumber: serial?.content ?? Buffer.alloc(0),
  });
}
