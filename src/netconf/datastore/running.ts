import type { StoredNetconfNames } from '../../../schemas/generated/validators.js';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { namesOf } from './names.ts';

/** Where the name of an endpoint of the configuration begins; no id of run time has a slash. */
const configured = 'configuration/';
const clientPrefix = 'client/';

/** An endpoint under the name of a key or bag. */
export interface NamedEndpoint {
  /** The id of a server or of an authority; for others see `nameOfEndpoint`. */
  readonly name: string;
  readonly endpoint: EndpointRef;
  /** Those of the configuration are shown, and not changed here. */
  readonly isOfRunTime: boolean;
}

/** A certificate with those that belong to it, under the name that a client gave it, or under its id. */
export interface NamedCertificates {
  readonly name: string;
  /** Of a key: its certificate, and its issuers. */
  readonly certificates: readonly Certificate[];
}

/** A key or a bag. */
export interface Holder extends NamedEndpoint {
  readonly description: string | undefined;
  readonly certificates: readonly NamedCertificates[];
  /** The services that read from it. */
  readonly services: readonly string[];
}

/** What is in service, as the models of the IETF divide it. */
export interface Running {
  /** Servers and clients, each of which has one certificate. */
  readonly keys: readonly Holder[];
  /** Authorities. */
  readonly bags: readonly Holder[];
}

export interface RunningSources {
  readonly endpoints: Pick<EdgeEndpoints, 'list'>;
  readonly certificates: Pick<CertificateClient, 'endpoints' | 'list'>;
  readonly names: StoredNetconfNames;
}

/** @throws CertError `unavailable` */
export function readRunning({ endpoints, certificates, names }: RunningSources): Running {
  const ofRunTime = endpoints.list().map(({ type, name, services, certificates: held }) => {
    const endpoint = { type, name };
    return { ...holderOf(endpoint, true, held, names), services };
  });
  const ofConfiguration = certificates
    .endpoints()
    .map((endpoint) => holderOf(endpoint, false, certificates.list(endpoint), { endpoints: [] }));
  const all: readonly Holder[] = [...ofRunTime, ...ofConfiguration];
  const isBag = ({ endpoint }: Holder) => endpoint.type === 'authority';
  return {
    // What has no certificate has no key of which anything is known
    keys: all.filter((one) => !isBag(one) && one.certificates.length > 0),
    bags: all.filter(isBag),
  };
}

export function nameOfEndpoint({ type, name }: EndpointRef, isOfRunTime: boolean): string {
  if (!isOfRunTime) return `${configured}${type}/${name}`;
  return type === 'client' ? `${clientPrefix}${name}` : name;
}

/** The endpoint of run time that a key or bag is. Its id may be none; the manager says so. */
export function endpointOf(name: string, list: 'keys' | 'bags'): EndpointRef {
  if (list === 'bags') return { type: 'authority', name };
  return name.startsWith(clientPrefix)
    ? { type: 'client', name: name.slice(clientPrefix.length) }
    : { type: 'server', name };
}

function holderOf(
  endpoint: EndpointRef,
  isOfRunTime: boolean,
  held: readonly PublishedCertificate[],
  stored: StoredNetconfNames,
): Holder {
  const { description, certificates: known } = namesOf(stored, endpoint);
  const taken = new Set(known.values());
  const members = new Map<string, Certificate[]>();
  for (const { id, certificate, chain } of held) {
    const { fingerprint } = certificate;
    // A client may have given the id of one certificate to another
    const name = known.get(fingerprint) ?? (taken.has(id) ? fingerprint : id);
    members.set(name, [...(members.get(name) ?? []), certificate, ...chain]);
  }
  return {
    ...{ name: nameOfEndpoint(endpoint, isOfRunTime), endpoint, isOfRunTime, description },
    certificates: [...members].map(([name, certificates]) => ({ name, certificates })),
    services: [],
  };
}
