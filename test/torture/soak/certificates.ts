import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { requestedKeyInfo } from '../../../src/manager/x509/certification-request.ts';
import {
  type Asn1,
  bitString,
  contextConstructed,
  decode,
  encode,
  sequence,
  time,
  unsignedInteger,
} from '../../../src/manager/x509/der.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  subjectKeyIdentifier,
  usageExtensions,
  writeExtensions,
} from '../../../src/manager/x509/extensions.ts';
import { keyIdentifier, publicKeyInfo, signerFor } from '../../../src/manager/x509/keys.ts';
import { writeName } from '../../../src/manager/x509/name.ts';
import { formatPem, parsePem } from '../../../src/manager/x509/pem.ts';

/** Something to install, with what must be read of it afterwards. */
export interface Content {
  readonly pem: string;
  /** SHA-256 of the certificate, upper-case with colons. */
  readonly fingerprint: string;
}

/** Makes content of which no two are alike, in less than a millisecond each. */
export interface Issuer {
  /** The CA behind the intermediate that signs the leaves. */
  readonly root: string;
  /** A leaf with its key and the intermediate. */
  pair(): Content;
  /** The answer to a request: a leaf without its key, and the intermediate. */
  answer(request: string): Content;
  authority(): Content;
}

const day = 86_400_000;

export function makeIssuer(): Issuer {
  const [rootKey, issuerKey, ...leafKeys] = Array.from({ length: 8 }, newKey);
  if (!rootKey || !issuerKey) throw new Error('there are eight keys');
  const root = certificate('Soak Root', infoOf(rootKey), 'Soak Root', rootKey, true);
  const intermediate = certificate('Soak Issuer', infoOf(issuerKey), 'Soak Root', rootKey, true);
  let made = 0;
  const leaf = (info: Buffer) => {
    made += 1;
    return certificate(`bmc-${made}.example.com`, info, 'Soak Issuer', issuerKey, false);
  };
  return {
    root,
    pair() {
      const key = leafKeys[made % leafKeys.length] ?? issuerKey;
      const pem = leaf(infoOf(key));
      const keyPem = String(key.export({ type: 'pkcs8', format: 'pem' }));
      return { pem: keyPem + pem + intermediate, fingerprint: fingerprintOf(pem) };
    },
    answer(request) {
      const der = parsePem(request)[0]?.der ?? Buffer.alloc(0);
      const pem = leaf(requestedKeyInfo(der));
      return { pem: pem + intermediate, fingerprint: fingerprintOf(pem) };
    },
    authority() {
      made += 1;
      const name = `Soak CA ${made}`;
      const pem = certificate(name, infoOf(rootKey), name, rootKey, true);
      return { pem, fingerprint: fingerprintOf(pem) };
    },
  };
}

/** Of the first certificate of a text. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

function certificate(
  subject: string,
  info: Buffer,
  issuer: string,
  issuerKey: KeyObject,
  isCa: boolean,
): string {
  const signer = signerFor(issuerKey);
  const name = (value: string): Asn1 => writeName([{ type: 'CN', value }]);
  const tbs = sequence(
    contextConstructed(0, unsignedInteger(Buffer.of(2))),
    unsignedInteger(Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    signer.algorithm,
    name(issuer),
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 300 * day))),
    name(subject),
    decode(info),
    contextConstructed(
      3,
      writeExtensions([
        basicConstraints(isCa),
        ...usageExtensions(isCa ? ['KeyCertSign', 'CRLSigning'] : ['DigitalSignature']),
        subjectKeyIdentifier(keyIdentifier(info)),
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
