import { wholeBytes } from '../../x509/asn1/primitives.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { PkiBody } from '../messages/body.ts';
import {
  type AlgorithmIdentifier,
  encodeMessage,
  type PkiHeader,
  partToProtect,
} from '../messages/pki-message.ts';
import { computeMac, type MacSettings, macAlgorithm } from './mac.ts';
import { algorithmFor, identifierOf, type SignatureAlgorithm } from './signature.ts';

/** What the messages of a transaction are protected with. */
export interface Protector {
  readonly algorithm: AlgorithmIdentifier;
  readonly senderKid: Buffer | undefined;
  /** The signer first, then what leads towards its root. */
  readonly extraCerts: readonly Buffer[];
  protect(data: Buffer): Promise<Buffer>;
}

/** @param salt the same for all messages of a transaction */
export function macProtector(
  { reference, value }: { readonly reference: string; readonly value: Buffer },
  settings: MacSettings,
  salt: Buffer,
): Protector {
  const algorithm = macAlgorithm(settings, salt);
  const limits = { maxIterations: Number.POSITIVE_INFINITY };
  return {
    algorithm,
    senderKid: Buffer.from(reference, 'utf8'),
    extraCerts: [],
    protect: (data) => computeMac(algorithm, value, data, limits),
  };
}

export type SignBytes = (algorithm: SignatureAlgorithm, data: Buffer) => Promise<Buffer>;

/** @param chain the certificate of the key that signs, and its issuers */
export function signatureProtector(
  [signer, ...issuers]: readonly [Certificate, ...Certificate[]],
  sign: SignBytes,
): Protector {
  const algorithm = algorithmFor(signer.publicKey);
  const { keyIdentifier } = signer;
  return {
    algorithm: identifierOf(algorithm),
    senderKid: keyIdentifier === undefined ? undefined : Buffer.from(keyIdentifier, 'hex'),
    extraCerts: [signer, ...issuers].map(({ der }) => der),
    protect: (data) => sign(algorithm, data),
  };
}

/** The bytes of a message that goes out. */
export async function protectMessage(
  header: Omit<PkiHeader, 'protectionAlg' | 'senderKid'>,
  body: PkiBody,
  { algorithm, senderKid, extraCerts, protect }: Protector,
): Promise<Buffer> {
  const message = { header: { ...header, protectionAlg: algorithm, senderKid }, body };
  const protection = wholeBytes(await protect(partToProtect(message)));
  const certificates = extraCerts.length > 0 ? extraCerts : undefined;
  return encodeMessage({ ...message, protection, extraCerts: certificates });
}
