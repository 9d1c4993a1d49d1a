import { type KeyObject, sign, verify } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { CertError, type CertErrorCode } from '../errors.ts';
import { type Certificate, isSelfIssued } from '../x509/certificate.ts';
import { exportPrivateKey } from '../x509/keys.ts';
import { signatureFault } from './chain-signatures.ts';
import { weakness } from './key-strength.ts';

/** What the checks look at. */
export interface Candidate {
  /** The certificate that the endpoint would publish. */
  readonly leaf: Certificate;
  /** Every certificate that came with it, itself included. */
  readonly company: readonly Certificate[];
  /** Seconds since 1970. */
  readonly now: number;
  readonly policy: CheckPolicy;
}

export interface CheckPolicy {
  /** Upstream's `allow-expired`, on by default: a wrong clock must not lock the operator out. */
  readonly allowExpired: boolean;
  /** Refuse certificates without CA:TRUE in an authority endpoint. */
  readonly requireCa: boolean;
  /** Bits of the largest RSA key; each handshake with one costs the cube of its size. */
  readonly mostRsaBits: number;
}

/** One condition of an installation. `fault` answers what is wrong, `undefined` when nothing is. */
export interface Check<T> {
  readonly code: CertErrorCode;
  readonly why: string;
  readonly fault: (candidate: T) => string | undefined;
}

/** Conditions of every certificate, in upstream's order (`openbmc-dbus` contract, Install). */
export const certificateChecks: readonly Check<Candidate>[] = [
  {
    code: 'certificate-malformed',
    why: 'OpenSSL loads such a certificate, and every peer refuses it',
    fault: ({ leaf }) => leaf.breaches[0],
  },
  {
    code: 'chain-signature',
    why: 'a client would refuse the chain, so the service must not serve it',
    fault: ({ company }) => signatureFault(company),
  },
  {
    code: 'critical-extension',
    why: 'RFC 5280 §4.2: whoever does not know a critical extension must refuse the certificate',
    fault: ({ leaf }) =>
      leaf.unknownCritical.length > 0
        ? `the critical extension ${leaf.unknownCritical.join(', ')} is unknown`
        : undefined,
  },
  {
    code: 'expired',
    why: 'only where the configuration says so',
    fault: ({ leaf, now, policy }) =>
      !policy.allowExpired && leaf.notAfter < now
        ? `the certificate expired on ${isoTime(leaf.notAfter)}`
        : undefined,
  },
  {
    code: 'validity-start',
    why: 'times go over the bus as unsigned seconds since 1970',
    fault: ({ leaf }) => {
      const early = [leaf.notBefore, leaf.notAfter].find((seconds) => seconds < 0);
      return early === undefined ? undefined : `${isoTime(early)} is before 1970`;
    },
  },
  {
    code: 'key-strength',
    why: 'TLS libraries refuse weak keys, which would take the service off the network',
    fault: ({ leaf, policy }) => weakness(leaf.publicKey, policy.mostRsaBits),
  },
  {
    code: 'signature-strength',
    why: 'TLS libraries refuse signatures with broken digests; a root is trusted without its own',
    fault: ({ leaf }) =>
      leaf.hasWeakSignature && !isSelfIssued(leaf)
        ? `the signature algorithm ${leaf.signatureAlgorithm} is broken`
        : undefined,
  },
];

export const authorityChecks: readonly Check<Candidate>[] = [
  ...certificateChecks,
  {
    code: 'not-a-ca',
    why: 'a certificate without CA:TRUE verifies nobody, and as a trust anchor it would impersonate',
    fault: ({ leaf, policy }) =>
      policy.requireCa && !leaf.isCa
        ? 'the certificate is not a CA: it has no basicConstraints with CA:TRUE'
        : undefined,
  },
];

/** A certificate with the key that a service would serve it with. */
export interface KeyedCandidate {
  readonly leaf: Certificate;
  readonly chain: readonly Certificate[];
  readonly key: KeyObject;
}

export const pairChecks: readonly Check<KeyedCandidate>[] = [
  {
    code: 'key-mismatch',
    why: 'no handshake succeeds with a key that is not the one of the certificate',
    fault: ({ leaf, key }) =>
      leaf.x509.checkPrivateKey(key) ? undefined : 'the private key is not that of the certificate',
  },
  {
    code: 'key-malformed',
    why: 'OpenSSL compares public halves only, and a damaged secret half fails in every handshake',
    fault: ({ leaf, key }) =>
      makesSignatures(key, leaf.publicKey)
        ? undefined
        : 'the private key makes no signatures that fit its public key',
  },
  {
    code: 'tls-loadable',
    why: 'what OpenSSL cannot load would leave the service without TLS after its reload',
    fault: ({ leaf, chain, key }) => {
      const cert = [leaf, ...chain].map(({ pem }) => pem).join('');
      try {
        createSecureContext({ cert, key: exportPrivateKey(key) });
        return undefined;
      } catch {
        return 'OpenSSL cannot load the certificate and its key into a TLS context';
      }
    },
  },
];

function makesSignatures(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const data = Buffer.from('any text');
  // Ed25519 and Ed448 have their digest in them (RFC 8032)
  const digest = privateKey.asymmetricKeyType?.startsWith('ed') ? null : 'sha256';
  try {
    return verify(digest, data, publicKey, sign(digest, data, privateKey));
  } catch {
    return false;
  }
}

/** The curves that TLS 1.3 has signature schemes for (RFC 8446 §4.2.3) and clients speak. */
export const servedCurves = ['prime256v1', 'secp384r1', 'secp521r1'];

export const serverChecks: readonly Check<KeyedCandidate>[] = [
  ...pairChecks,
  {
    code: 'curve-unsupported',
    why: 'every handshake would fail, and the operator would be locked out of his own device',
    fault: ({ leaf }) => {
      const { namedCurve } = leaf.publicKey.asymmetricKeyDetails ?? {};
      return namedCurve === undefined || servedCurves.includes(namedCurve)
        ? undefined
        : `no TLS client takes a server certificate with a key on the curve ${namedCurve}`;
    },
  },
];

/** @throws CertError with the code of the first check that fails */
export function enforce<T>(checks: readonly Check<T>[], candidate: T): void {
  for (const { code, fault } of checks) {
    const message = fault(candidate);
    if (message !== undefined) throw new CertError(code, message);
  }
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
