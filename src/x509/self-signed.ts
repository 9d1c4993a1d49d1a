import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  bitString,
  contextConstructed,
  decode,
  encode,
  sequence,
  time,
  unsignedInteger,
} from './der.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  netscapeComment,
  subjectAltName,
  subjectKeyIdentifier,
  usageExtensions,
  writeExtensions,
} from './extensions.ts';
import type { GeneralName } from './general-names.ts';
import { keyIdentifier, publicKeyInfo, signerFor } from './keys.ts';
import { writeName } from './name.ts';
import type { KeyUsage } from './oids.ts';

export interface SelfSignedContent {
  readonly commonName: string;
  readonly organization: string;
  readonly alternativeNames: readonly GeneralName[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** 16 random bytes; RFC 5280 §4.1.2.2 wants serial numbers that are positive and unique. */
  readonly serialNumber: Uint8Array;
  readonly comment: string;
}

/** DER of a self-signed server certificate (X.509 v3) that browsers accept once it is trusted. */
export function makeSelfSigned(content: SelfSignedContent, privateKey: KeyObject): Buffer {
  const signer = signerFor(privateKey);
  const info = publicKeyInfo(createPublicKey(privateKey));
  const identifier = keyIdentifier(info);
  const name = writeName([
    { type: 'O', value: content.organization },
    { type: 'CN', value: content.commonName },
  ]);
  const usages: KeyUsage[] = ['DigitalSignature', 'ServerAuthentication'];
  if (privateKey.asymmetricKeyType === 'rsa') usages.push('KeyEncipherment');
  const tbs = sequence(
    contextConstructed(0, unsignedInteger(Buffer.of(2))),
    unsignedInteger(content.serialNumber),
    signer.algorithm,
    name,
    sequence(time(content.notBefore), time(content.notAfter)),
    name,
    decode(info),
    contextConstructed(
      3,
      writeExtensions([
        basicConstraints(false),
        ...(content.alternativeNames.length > 0 ? [subjectAltName(content.alternativeNames)] : []),
        subjectKeyIdentifier(identifier),
        authorityKeyIdentifier(identifier),
        ...usageExtensions(usages),
        netscapeComment(content.comment),
      ]),
    ),
  );
  const signature = signer.sign(encode(tbs));
  return encode(sequence(tbs, signer.algorithm, bitString(signature)));
}
