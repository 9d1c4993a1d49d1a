import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  bitString,
  contextConstructed,
  decode,
  encode,
  sequence,
  time,
  unsignedInteger,
} from '../../src/x509/der.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  subjectKeyIdentifier,
  usageExtensions,
  writeExtensions,
} from '../../src/x509/extensions.ts';
import { keyIdentifier, publicKeyInfo, signerFor } from '../../src/x509/keys.ts';
import { writeName } from '../../src/x509/name.ts';
import { formatPem } from '../../src/x509/pem.ts';

/** A certificate that is made in less than a millisecond, where openssl would take a process each. */
export interface QuickCertificate {
  readonly subject: string;
  /** The SubjectPublicKeyInfo of its key. */
  readonly info: Buffer;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly isCa: boolean;
  /** As most have them. */
  readonly hasKeyIdentifiers?: boolean;
}

const day = 86_400_000;

/** @returns its PEM; it is valid for 300 days from yesterday */
export function quickCertificate({
  subject,
  info,
  issuer,
  issuerKey,
  isCa,
  hasKeyIdentifiers = true,
}: QuickCertificate): string {
  const signer = signerFor(issuerKey);
  const tbs = sequence(
    contextConstructed(0, unsignedInteger(Buffer.of(2))),
    unsignedInteger(Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    signer.algorithm,
    writeName([{ type: 'CN', value: issuer }]),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 300 * day))),
    writeName([{ type: 'CN', value: subject }]),
    decode(info),
    contextConstructed(
      3,
      writeExtensions([
        basicConstraints(isCa),
        ...usageExtensions(isCa ? ['KeyCertSign', 'CRLSigning'] : ['DigitalSignature']),
        ...(hasKeyIdentifiers
          ? [
              subjectKeyIdentifier(keyIdentifier(info)),
              authorityKeyIdentifier(keyIdentifier(infoOf(issuerKey))),
            ]
          : []),
      ]),
    ),
  );
  const signature = bitString(signer.sign(encode(tbs)));
  return formatPem('CERTIFICATE', encode(sequence(tbs, signer.algorithm, signature)));
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

export function infoOf(key: KeyObject): Buffer {
  return publicKeyInfo(createPublicKey(key));
}
