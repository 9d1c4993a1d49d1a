import { X509Certificate } from 'node:crypto';
import { requestedKeyInfo } from '../../../src/x509/certification-request.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { infoOf, newKey, quickCertificate } from '../../fakes/quick-certificate.ts';

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

export function makeIssuer(): Issuer {
  const [rootKey, issuerKey, ...leafKeys] = Array.from({ length: 8 }, newKey);
  if (!rootKey || !issuerKey) throw new Error('there are eight keys');
  const byRoot = { issuer: 'Soak Root', issuerKey: rootKey, isCa: true };
  const root = quickCertificate({ subject: 'Soak Root', info: infoOf(rootKey), ...byRoot });
  const intermediate = quickCertificate({
    ...{ subject: 'Soak Issuer', info: infoOf(issuerKey) },
    ...byRoot,
  });
  let made = 0;
  const leaf = (info: Buffer) => {
    made += 1;
    const subject = `bmc-${made}.example.com`;
    return quickCertificate({ subject, info, issuer: 'Soak Issuer', issuerKey, isCa: false });
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
      const pem = quickCertificate({
        ...{ subject: name, info: infoOf(rootKey) },
        ...{ issuer: name, issuerKey: rootKey, isCa: true },
      });
      return { pem, fingerprint: fingerprintOf(pem) };
    },
  };
}

/** Of the first certificate of a text. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
