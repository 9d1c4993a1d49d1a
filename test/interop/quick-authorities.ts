import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  bitString,
  contextConstructed,
  decode,
  encode,
  sequence,
  time,
  unsignedInteger,
} from '../../src/manager/x509/der.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  subjectKeyIdentifier,
  usageExtensions,
  writeExtensions,
} from '../../src/manager/x509/extensions.ts';
import { keyIdentifier, publicKeyInfo, signerFor } from '../../src/manager/x509/keys.ts';
import { writeName } from '../../src/manager/x509/name.ts';
import { formatPem } from '../../src/manager/x509/pem.ts';

/** A CA that is made in a millisecond, where a thousand processes of openssl would take a minute. */
export interface QuickAuthority {
  readonly name: string;
  readonly pem: string;
  /** @returns the PEM of a leaf that it issues */
  issue(commonName: string): string;
}

export function quickAuthority(name: string): QuickAuthority {
  const key = newKey();
  return {
    name,
    pem: certificate({ subject: name, issuer: name, key, issuerKey: key, isCa: true }),
    issue: (subject) =>
      certificate({ subject, issuer: name, key: newKey(), issuerKey: key, isCa: false }),
  };
}

export function quickAuthorities(count: number): QuickAuthority[] {
  return Array.from({ length: count }, (_, at) => quickAuthority(`Quick CA ${at + 1}`));
}

interface Shape {
  readonly subject: string;
  readonly issuer: string;
  readonly key: KeyObject;
  readonly issuerKey: KeyObject;
  readonly isCa: boolean;
}

const day = 86_400_000;

function certificate({ subject, issuer, key, issuerKey, isCa }: Shape): string {
  const signer = signerFor(issuerKey);
  const tbs = sequence(
    contextConstructed(0, unsignedInteger(Buffer.of(2))),
    unsignedInteger(Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    signer.algorithm,
    writeName([{ type: 'CN', value: issuer }]),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 30 * day))),
    writeName([{ type: 'CN', value: subject }]),
    decode(infoOf(key)),
    contextConstructed(
      3,
      writeExtensions([
        basicConstraints(isCa),
        ...usageExtensions(isCa ? ['KeyCertSign', 'CRLSigning'] : ['DigitalSignature']),
        subjectKeyIdentifier(keyIdentifier(infoOf(key))),
        authorityKeyIdentifier(keyIdentifier(infoOf(issuerKey))),
      ]),
    ),
  );
  const signature = bitString(signer.sign(encode(tbs)));
  return formatPem('CERTIFICATE', encode(sequence(tbs, signer.algorithm, signature)));
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

function infoOf(key: KeyObject): Buffer {
  return publicKeyInfo(createPublicKey(key));
}
