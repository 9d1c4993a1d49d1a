import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { CertError } from '../../../src/core/cert-error.ts';
import { certificateObject } from '../../../src/dbus/certs/certificate-object.ts';
import { mapTypes } from '../../../src/identity/peer-certificates/map-types.ts';
import { signatureFault } from '../../../src/manager/checks/chain-signatures.ts';
import { authorityChecks, pairChecks, serverChecks } from '../../../src/manager/checks/checks.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { planRekey } from '../../../src/manager/csr/renewal.ts';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { certificateView } from '../../../src/redfish/certificates/view.ts';
import { usualServingProfile } from '../../../src/tls/profile.ts';
import { type Certificate, isSelfIssued, namesAndUsages } from '../../../src/x509/certificate.ts';
import { DerError } from '../../../src/x509/der.ts';
import { publicKeyHash, publicKeyInfo } from '../../../src/x509/keys.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { formatName } from '../../../src/x509/name.ts';
import { makeWorld } from '../../fakes/manager-world.ts';
import { openQuickly } from '../../fakes/opened-content.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const policy = { allowExpired: true, requireCa: false, maxRsaBits: 8192 };
const thresholds = [30, 7];
const [collection] = collectionsOf('bmc', [{ type: 'server', name: 'https' }]);
const world = makeWorld();
const endpoint = new CredentialEndpoint(
  { type: 'server', name: 'https', path: `${world.directory}/x`, reload: [] },
  world.dependencies,
);
world.remove();

/**
 * Does with a certificate that was read what all parts of the service do with one: on the bus, in Redfish,
 * in a login, in a request for its successor, in the checks. None of them may fail at it.
 * @returns its kind, in few words
 */
export function shownEverywhere(certificate: Certificate): string {
  const installed = { id: '1', certificate, chain: [certificate] };
  const uploads = { uploadBytes: 1, content: usualLimits };
  const published = {
    endpoint,
    uploads,
    openContent: openQuickly,
    expiryThresholds: thresholds,
    now: () => now,
  };
  const served = certificateObject(published, installed);
  const properties = served.flatMap(({ spec, read }) => Object.keys(spec.properties).map(read));
  for (const { value } of properties) {
    if (typeof value === 'string' && value.includes('\0')) throw new Error('a NUL on the bus');
    if (typeof value === 'bigint' && value > 0xffff_ffff_ffffn) throw new Error('a time too large');
  }
  const parts = {
    certificateLinks: () => ({ issuer: undefined, subjects: [] }),
    now: () => now,
    expiryThresholds: thresholds,
  };
  if (!collection) throw new Error('there is a collection for servers');
  JSON.stringify(certificateView(parts, collection, installed));
  const context = { hostName: () => 'bmc.example.com', ownerOf: () => undefined };
  for (const { nameOf } of Object.values(mapTypes)) nameOf(certificate, context, undefined);
  const candidate = {
    leaf: certificate,
    signatureFault: signatureFault([certificate]),
    now: now / 1000,
    policy,
    securityLevel: 2,
  };
  const faults = authorityChecks.filter(({ fault }) => fault(candidate) !== undefined);
  const { keyUsage, alternativeNames, publicKey, isCa } = certificate;
  publicKeyHash(publicKeyInfo(publicKey));
  return [
    ...faults.map(({ code }) => code),
    ...[keyUsage.length, alternativeNames.length, publicKey.asymmetricKeyType, isCa],
    ...[
      isSelfIssued(certificate),
      formatName(certificate.subject).length % 7,
      successor(certificate),
    ],
  ].join(' ');
}

/** The worker that makes the request may refuse what the certificate has. */
function successor(certificate: Certificate): string {
  try {
    const parameters = {
      ChallengePassword: '',
      KeyBitLength: 0n,
      KeyCurveId: '',
      KeyPairAlgorithm: '',
    };
    planRekey(certificate, parameters, 'server');
    return String(namesAndUsages(certificate.der).extensions.length);
  } catch (error) {
    if (error instanceof DerError) return 'der';
    if (error instanceof CertError) return error.code;
    throw error;
  }
}

/**
 * A key that was read goes through the checks of a pair, as the key of a certificate.
 * @returns its kind, in few words
 */
export function useOfKey(key: KeyObject, certificate: Certificate): string {
  const publicKey = createPublicKey(key);
  publicKeyHash(publicKeyInfo(publicKey));
  const leaf = { ...certificate, publicKey };
  const served = { leaf, chain: [], key, serving: usualServingProfile() };
  const faults = [...pairChecks, ...serverChecks].filter(
    ({ fault }) => fault(served) !== undefined,
  );
  return [key.asymmetricKeyType, ...faults.map(({ code }) => code)].join(' ');
}
