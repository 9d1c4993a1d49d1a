import type { Configuration } from '../platform/configuration.ts';
import { InvalidMember } from '../platform/invalid-member.ts';
import type { KeyAlgorithm } from '../x509/keys.ts';
import type { Target } from './device.ts';
import { EnrolmentFault } from './enrolment-fault.ts';
import type { CaProfile, CertificatePolicy } from './settings.ts';
import { parseNames, parseSubject } from './subject.ts';

export interface EnrolmentSettings {
  readonly directory: string;
  readonly policies: readonly { readonly policy: CertificatePolicy; readonly profile: CaProfile }[];
  readonly profiles: readonly CaProfile[];
}

type Enrolment = Configuration['enrolment'];

const keys: Readonly<Record<Enrolment['certificates'][number]['key'], KeyAlgorithm>> = {
  'P-256': { kind: 'EC', curve: 'prime256v1' },
  'P-384': { kind: 'EC', curve: 'secp384r1' },
  'P-521': { kind: 'EC', curve: 'secp521r1' },
  'RSA-2048': { kind: 'RSA', bits: 2048 },
  'RSA-3072': { kind: 'RSA', bits: 3072 },
  'RSA-4096': { kind: 'RSA', bits: 4096 },
};

const path = '/enrolment';

/** @throws InvalidMember for what contradicts itself */
export function enrolmentSettings({ enrolment }: Configuration): EnrolmentSettings {
  const { directory, authorities, certificates } = enrolment;
  refuseTwice(authorities, `${path}/authorities`);
  refuseTwice(certificates, `${path}/certificates`);
  const profiles = authorities.map(profileOf);
  const policies = certificates.map((certificate, at) => {
    const member = (name: string) => `${path}/certificates/${at}/${name}`;
    const policy = policyOf(certificate);
    const profile = profiles.find(({ name }) => name === certificate.authority);
    if (!profile) throw new InvalidMember(member('authority'), 'names no CA profile');
    const { reference } = certificate;
    if (reference !== '' && !Object.hasOwn(profile.keyList, reference))
      throw new InvalidMember(member('reference'), 'is in no keyList of its CA profile');
    refuseTemplate(() => parseSubject(certificate.subject, anyDevice), member('subject'));
    refuseTemplate(() => parseNames(certificate.names, anyDevice), member('names'));
    const other = certificates.findIndex(
      ({ endpoint, endpointOrigin }) =>
        endpoint === certificate.endpoint && endpointOrigin === certificate.endpointOrigin,
    );
    if (other !== at)
      throw new InvalidMember(member('endpoint'), `is that of ${path}/certificates/${other}, too`);
    return { policy, profile };
  });
  return { directory, policies, profiles };
}

/** What stands for placeholders while a configuration is looked at: the device has it later, or now. */
const anyDevice = { hostname: 'bmc', serial: '0', addresses: () => ['192.0.2.1'] };

function refuseTemplate(parse: () => unknown, member: string): void {
  try {
    parse();
  } catch (error) {
    if (error instanceof EnrolmentFault)
      throw new InvalidMember(member, `is not good: ${error.message}`);
    throw error;
  }
}

function refuseTwice(entries: readonly { readonly name: string }[], member: string): void {
  for (const [at, { name }] of entries.entries()) {
    const first = entries.findIndex((one) => one.name === name);
    if (first !== at)
      throw new InvalidMember(`${member}/${at}/name`, `is that of ${member}/${first}, too`);
  }
}

function profileOf(authority: Enrolment['authorities'][number]): CaProfile {
  const { name, description, url, endpoint, tlsEndpoint, keyList, acceptUnprotected } = authority;
  const { sender, responseSeconds, responseBytes, revocationCheck, endpointOrigin } = authority;
  const { kind, digest, iterations, maxIterations } = authority.mac;
  return {
    ...{ name, description, url, acceptUnprotected, sender, responseSeconds, responseBytes },
    ...{ revocationCheck, maxIterations, mac: { kind, digest, iterations } },
    authority: { type: 'authority', name: endpoint, origin: endpointOrigin },
    tlsAuthority: { type: 'authority', name: tlsEndpoint ?? endpoint, origin: endpointOrigin },
    keyList: Object.fromEntries(
      keyList.map(({ reference, passwordFile }) => [reference, { passwordFile }]),
    ),
  };
}

function policyOf(certificate: Enrolment['certificates'][number]): CertificatePolicy {
  const { name, authority, reference, subject, names, key, use, ignoreKeyUsage } = certificate;
  const { renew, kurNames, renewBeforeHours, warning, start, probe } = certificate;
  return {
    ...{ name, reference, subject, names, use, ignoreKeyUsage, renew, kurNames, warning, probe },
    ca: authority,
    endpoint: endpointOf(certificate.endpoint, certificate.endpointOrigin),
    key: keys[key],
    renewBefore:
      renewBeforeHours === undefined ? { percent: 100 / 3 } : { hours: renewBeforeHours },
    isAutomatic: start === 'automatic',
  };
}

/** @param text of the schema's pattern */
function endpointOf(text: string, origin: Target['origin']): Target {
  const [type, name = ''] = text.split('/');
  return { type: type === 'client' ? 'client' : 'server', name, origin };
}
