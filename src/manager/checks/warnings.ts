import {
  type Certificate,
  isSelfIssued,
  signatureFits,
  subjectText,
} from '../../x509/certificate.ts';
import { sameName } from '../../x509/name.ts';
import { keyPurposes } from '../../x509/oids.ts';
import type { ServingProfile } from '../../x509/serving-profile.ts';
import { type CredentialCandidate, isServedCurve } from './checks.ts';
import type { Finding } from './findings.ts';
import { missingNames } from './names.ts';
import { clientUsageFault, names, serverUsageFault } from './usage.ts';

/** A reason for some peers to refuse what others accept; its text says who does. */
interface Warning {
  readonly code: Finding['code'];
  readonly fault: (credential: CredentialCandidate, serving: ServingProfile) => string | undefined;
}

const chainWarnings: readonly Warning[] = [
  {
    code: 'key-identifier',
    fault: ({ leaf, chain }) => {
      const malformed = [leaf, ...chain].find((one) => one.keyIdentifierFault !== undefined);
      return (
        malformed &&
        `some TLS clients refuse ${subjectText(malformed)}: ${malformed.keyIdentifierFault}`
      );
    },
  },
  {
    code: 'key-identifier',
    fault: ({ leaf, chain }) => {
      const orphan = [leaf, ...chain].find((one) => namesAnotherKey(one, [leaf, ...chain]));
      return (
        orphan &&
        `OpenSSL refuses the chain: the key identifier of the issuer in ${subjectText(orphan)} is not that of its issuer`
      );
    },
  },
  {
    code: 'not-a-ca',
    fault: ({ chain }) => {
      // Clients take a root from their own store
      const issuer = chain.find((one) => !one.isCa && !isSelfIssued(one));
      return (
        issuer &&
        `TLS clients refuse the chain: ${subjectText(issuer)} has no basicConstraints with CA:TRUE`
      );
    },
  },
  {
    code: 'key-usage',
    fault: ({ chain }) => {
      const issuer = chain.find(({ usages }) => usages.bits?.includes('KeyCertSign') === false);
      return (
        issuer &&
        `TLS clients refuse the chain: the keyUsage of ${subjectText(issuer)} has no keyCertSign`
      );
    },
  },
];

const serverWarnings: readonly Warning[] = [
  {
    code: 'key-type',
    fault: ({ leaf: { publicKey } }) => {
      const { asymmetricKeyType: type = '', asymmetricKeyDetails } = publicKey;
      const kind =
        asymmetricKeyDetails?.namedCurve === 'secp521r1' ? 'on the curve P-521' : keyTypes[type];
      return kind && `web browsers refuse a server certificate with a key ${kind}`;
    },
  },
  {
    code: 'key-usage',
    fault: ({ leaf }, { hasRsaKeyExchange }) => {
      const servesBoth = !hasRsaKeyExchange || serverUsageFault(leaf, false) === undefined;
      if (servesBoth || serverUsageFault(leaf, true) !== undefined) return undefined;
      return 'clients of TLS 1.3 refuse it: its keyUsage has no digitalSignature';
    },
  },
  {
    code: 'key-usage',
    fault: ({ leaf, chain }) => {
      // What is refused of the leaf is said already where it is in service
      const judged = serverUsageFault(leaf, true) === undefined ? [leaf, ...chain] : chain;
      const other = judged.find((one) => !names(one, keyPurposes.ServerAuthentication));
      return (
        other &&
        `OpenSSL and others refuse the chain: the extendedKeyUsage of ${subjectText(other)} has no serverAuth`
      );
    },
  },
  ...chainWarnings,
];

const clientWarnings: readonly Warning[] = [
  { code: 'key-usage', fault: ({ leaf }) => clientUsageFault(leaf) },
  {
    code: 'curve-unsupported',
    fault: ({ leaf: { publicKey } }) => {
      const { namedCurve } = publicKey.asymmetricKeyDetails ?? {};
      return namedCurve === undefined || isServedCurve(namedCurve)
        ? undefined
        : `TLS servers refuse a client certificate with a key on the curve ${namedCurve}`;
    },
  },
  ...chainWarnings,
];

/** What Chromium answers with ERR_SSL_VERSION_OR_CIPHER_MISMATCH. */
const keyTypes: Readonly<Record<string, string>> = {
  ed25519: 'of the type Ed25519',
  ed448: 'of the type Ed448',
  'rsa-pss': 'that is for RSA-PSS only',
};

/**
 * Everything that peers of a server or a client may object to.
 * @param wanted the names and addresses that clients know a server by
 */
export function warningsOf(
  type: 'server' | 'client',
  credential: CredentialCandidate,
  serving: ServingProfile,
  wanted: readonly string[] = [],
): Finding[] {
  const rows = type === 'server' ? serverWarnings : clientWarnings;
  const found = rows.flatMap(({ code, fault }) => {
    const text = fault(credential, serving);
    return text === undefined ? [] : [{ code, text }];
  });
  return type === 'server' ? [...found, ...nameWarnings(credential, wanted)] : found;
}

function nameWarnings({ leaf }: CredentialCandidate, wanted: readonly string[]): Finding[] {
  const code = 'name-missing';
  // RFC 9525 §2: the common name is none of them
  if (!leaf.alternativeNames.some(({ kind }) => kind === 'dns' || kind === 'ip')) {
    const text =
      'web browsers and others refuse it: no DNS name or address is among its alternative names';
    return [{ code, text }];
  }
  const missing = missingNames(leaf, wanted);
  if (missing.length === 0) return [];
  const text = `clients that know the service as ${missing.join(', ')} refuse it: that is not among its names`;
  return [{ code, text }];
}

/** Whether the issuers of a certificate are there, and each has another identifier than it names (RFC 5280 §4.2.1.1). */
function namesAnotherKey(certificate: Certificate, all: readonly Certificate[]): boolean {
  const { issuer, issuerKeyIdentifier: wanted } = certificate;
  if (wanted === undefined) return false;
  const issuers = all.filter(
    (one) => sameName(issuer, one.subject) && (one !== certificate || isSelfIssued(one)),
  );
  if (issuers.some(({ keyIdentifier }) => keyIdentifier === undefined || keyIdentifier === wanted))
    return false;
  return issuers.some((one) => signatureFits(certificate, one));
}
