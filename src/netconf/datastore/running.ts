import type { StoredNetconfNames } from '../../../schemas/generated/validators.js';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import type { EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { namesOf, noNames } from './names.ts';

/** No id has a slash. */
const clientPrefix = 'client/';

/** An endpoint under the name of a key or bag. */
export interface NamedEndpoint {
  /** The id of the endpoint; behind `client/` that of a client. */
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
  readonly certificates: Pick<CertificateClient, 'endpoints' | 'runTimeEndpoints' | 'list'>;
  readonly names: StoredNetconfNames;
}

/** @throws CertError `unavailable` */
export function readRunning({ endpoints, certificates, names }: RunningSources): Running {
  const isIn = (list: readonly EndpointRef[], { type, name }: EndpointRef) =>
    list.some((one) => one.type === type && one.name === name);
  const came = certificates.runTimeEndpoints();
  const configured = certificates.endpoints().filter((one) => !isIn(came, one));
  const ofConfiguration = configured.map((one) =>
    holderOf(one, false, certificates.list(one), noNames),
  );
  const ofRunTime = endpoints
    .list()
    // A name that both have means the one of the configuration
    .filter((one) => !isIn(configured, one))
    .map(({ type, name, services, certificates: held }) => {
      return { ...holderOf({ type, name }, true, held, names), services };
    });
  const all: readonly Holder[] = [...ofConfiguration, ...ofRunTime];
  const isBag = ({ endpoint }: Holder) => endpoint.type === 'authority';
  return {
    // What has no certificate has no key of which anything is known
    keys: all.filter((one) => !isBag(one) && one.certificates.length > 0),
    bags: all.filter(isBag),
  };
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
    name: `${endpoint.type === 'client' ? clientPrefix : ''}${endpoint.name}`,
    ...{ endpoint, isOfRunTime, description },
    certificates: [...members].map(([name, certificates]) => ({ name, certificates })),
    services: [],
  };
}
