import { type KeyObject, sign, verify } from 'node:crypto';
import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { type Certificate, isSelfIssued } from '../../x509/certificate.ts';
import { weakness } from '../../x509/key-strength.ts';
import { digestFault, sizeFault } from '../../x509/security-levels.ts';
import type { ServingProfile } from '../../x509/serving-profile.ts';
import { isRollover } from './chain-signatures.ts';
import type { Findings } from './findings.ts';
import { serverUsageFault } from './usage.ts';

/** What the checks look at. */
export interface Candidate {
  /** The certificate to judge. */
  readonly leaf: Certificate;
  /** Seconds since 1970. */
  readonly now: number;
  readonly policy: CheckPolicy;
  /** OpenSSL's security level of the service that will use it. */
  readonly securityLevel: number;
}

export interface CheckPolicy {
  /** Upstream's `allow-expired`, on by default: a wrong clock must not lock the operator out. */
  readonly allowExpired: boolean;
  /** Refuse certificates without CA:TRUE in an authority endpoint. */
  readonly requireCa: boolean;
  /** Bits of the largest RSA key; each handshake with one costs the cube of its size. */
  readonly maxRsaBits: number;
}

/** One condition of an installation. `fault` answers what is wrong, `undefined` when nothing is. */
export interface Check<T> {
  readonly code: CertErrorCode;
  readonly why: string;
  readonly fault: (candidate: T) => string | undefined;
}

const wellFormed: Check<Candidate> = {
  code: 'certificate-malformed',
  why: 'OpenSSL loads such a certificate, and every peer refuses it',
  fault: ({ leaf }) => leaf.rfc5280Violations[0],
};

const criticalKnown: Check<Candidate> = {
  code: 'critical-extension',
  why: 'RFC 5280 §4.2: a peer that does not know a critical extension must refuse the certificate',
  fault: ({ leaf }) =>
    leaf.unknownCritical.length > 0
      ? `the critical extension ${leaf.unknownCritical.join(', ')} is unknown`
      : undefined,
};

/** On each version of Node: OpenSSL 3.5 does not look at the digests of what it serves, only clients do. */
const strongDigest: Check<Candidate> = {
  code: 'signature-strength',
  why: 'TLS libraries refuse signatures with broken digests; a root is trusted without its own',
  fault: ({ leaf, securityLevel }) => {
    if (isSelfIssued(leaf) && !isRollover(leaf)) return undefined;
    return withReason(digestFault(leaf, securityLevel), 'ca md too weak');
  },
};

const notExpired: Check<Candidate> = {
  code: 'expired',
  why: 'only where the configuration says so',
  fault: ({ leaf, now, policy }) =>
    !policy.allowExpired && leaf.notAfter < now
      ? `the certificate expired on ${isoTime(leaf.notAfter)}`
      : undefined,
};

const dateOfBus: Check<Candidate> = {
  code: 'validity-start',
  why: 'times go over the bus as unsigned seconds since 1970',
  fault: ({ leaf }) => {
    const early = [leaf.notBefore, leaf.notAfter].find((seconds) => seconds < 0);
    return early === undefined ? undefined : `${isoTime(early)} is before 1970`;
  },
};

const keyStrength: Check<Candidate> = {
  code: 'key-strength',
  why: 'TLS libraries refuse weak keys, which would take the service off the network',
  fault: ({ leaf, policy, securityLevel }) =>
    weakness(leaf.publicKey, policy.maxRsaBits, securityLevel),
};

/** Conditions of the certificate of a server or client, in upstream's order (`openbmc-dbus` contract, Install). */
export const leafChecks: readonly Check<Candidate>[] = [
  wellFormed,
  criticalKnown,
  notExpired,
  dateOfBus,
  sizeCheck('ee key too small'),
  keyStrength,
  strongDigest,
];

/** Conditions of what is served with it. */
export const issuerChecks: readonly Check<Candidate>[] = [
  wellFormed,
  criticalKnown,
  sizeCheck('ca key too small'),
  strongDigest,
];

export interface AuthorityCandidate extends Candidate {
  /** What `signatureFault` says of the bundle that the authority came in. */
  readonly signatureFault: string | undefined;
}

export const authorityChecks: readonly Check<AuthorityCandidate>[] = [
  wellFormed,
  {
    code: 'chain-signature',
    why: 'a client would refuse the chain, so the service must not serve it',
    fault: ({ signatureFault }) => signatureFault,
  },
  criticalKnown,
  notExpired,
  dateOfBus,
  keyStrength,
  strongDigest,
  {
    code: 'not-a-ca',
    why: 'a certificate without CA:TRUE verifies no peer, and as a trust anchor it would impersonate',
    fault: ({ leaf, policy }) =>
      policy.requireCa && !leaf.isCa
        ? 'the certificate is not a CA: it has no basicConstraints with CA:TRUE'
        : undefined,
  },
];

/** OpenSSL looks at the sizes of what it serves, but at those of issuers only in the handshake. */
function sizeCheck(reason: string): Check<Candidate> {
  return {
    code: 'key-strength',
    why: 'a service with a higher security level than the key has cannot show the certificate',
    fault: ({ leaf, securityLevel }) =>
      withReason(sizeFault(leaf.publicKey, securityLevel), reason),
  };
}

/** A certificate with the key that a service would serve it with. */
export interface CredentialCandidate {
  readonly leaf: Certificate;
  /** What is served with it: the path first, then cross-signed alternatives. */
  readonly chain: readonly Certificate[];
  readonly key: KeyObject;
  /** Absent where there is nothing to say. */
  readonly findings?: Findings;
}

export const pairChecks: readonly Check<CredentialCandidate>[] = [
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
];

/** A credential with the profile of the service that will use it. */
export interface ServedCandidate extends CredentialCandidate {
  readonly serving: ServingProfile;
}

/** The curves that TLS 1.3 has signature schemes for (RFC 8446 §4.2.3) and clients speak. */
export const servedCurves = ['prime256v1', 'secp384r1', 'secp521r1'] as const;

export function isServedCurve(name: string): boolean {
  return servedCurves.some((curve) => curve === name);
}

const servedCurve: Check<ServedCandidate> = {
  code: 'curve-unsupported',
  why: 'every handshake would fail, and the operator would be locked out of the device',
  fault: ({ leaf }) => {
    const { namedCurve } = leaf.publicKey.asymmetricKeyDetails ?? {};
    return namedCurve === undefined || isServedCurve(namedCurve)
      ? undefined
      : `no TLS client takes a server certificate with a key on the curve ${namedCurve}`;
  },
};

/** Conditions of a server beside `pairChecks`; a handshake is tried last. */
export const serverChecks: readonly Check<ServedCandidate>[] = [
  servedCurve,
  {
    code: 'key-usage',
    why: 'RFC 5280 §4.2.1.3 and §4.2.1.12: Chromium, GnuTLS and OpenSSL refuse other uses of the key',
    fault: ({ leaf, serving }) => serverUsageFault(leaf, serving.hasRsaKeyExchange),
  },
];

function makesSignatures(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const data = Buffer.from('any text');
  // Ed25519 and Ed448 have their digest in them (RFC 8032), an RSA-PSS key may name the only one it is for (RFC 4055)
  const { hashAlgorithm = 'sha256' } = privateKey.asymmetricKeyDetails ?? {};
  const digest = privateKey.asymmetricKeyType?.startsWith('ed') ? null : hashAlgorithm;
  try {
    return verify(digest, data, publicKey, sign(digest, data, privateKey));
  } catch {
    return false;
  }
}

/** @throws CertError with the code of the first check that fails */
export function enforce<T>(checks: readonly Check<T>[], candidate: T): void {
  for (const { code, fault } of checks) {
    const message = fault(candidate);
    if (message !== undefined) throw new CertError(code, message);
  }
}

/** @param reason what OpenSSL says of it */
function withReason(fault: string | undefined, reason: string): string | undefined {
  return fault === undefined ? undefined : `${fault} (${reason})`;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
