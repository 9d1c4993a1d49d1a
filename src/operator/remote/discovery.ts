import type { EndpointRef } from '../../manager/certificate-client.ts';
import { readEndpoint } from '../targets.ts';
import { linkAt, linksAt, textAt } from './json.ts';
import type { Service } from './service.ts';

/** A collection of certificates of the service, and what endpoint it is here. */
export interface Place {
  readonly endpoint: EndpointRef;
  /** URI of the collection. */
  readonly uri: string;
  /** Whether the service itself shows its certificate. */
  readonly isServed: boolean;
}

/** What a service offers, found by its links: only the root has a fixed address. */
export interface ServiceMap {
  readonly places: readonly Place[];
  readonly certificateService: unknown;
  readonly accounts: string | undefined;
  readonly events: string | undefined;
  /** Milliseconds by which the clock of the device is ahead of ours. */
  readonly clockOffset: number;
}

/** A collection before it is known whether another one has the name already. */
interface Candidate {
  readonly uri: string | undefined;
  readonly name: string;
  readonly isServed?: boolean;
}

/** @param root of the service */
export async function discover(service: Pick<Service, 'look'>, root: unknown): Promise<ServiceMap> {
  const look = async (path: string | undefined) =>
    path === undefined ? undefined : service.look(path);
  const [certificateService, accountService, eventService, managerCollection] = await Promise.all(
    ['CertificateService', 'AccountService', 'EventService', 'Managers'].map((name) =>
      look(linkAt(root, name)),
    ),
  );
  const managers = await Promise.all(
    ownFirst(root, linksAt(managerCollection, 'Members')).map(async (uri) => {
      const manager = await look(uri);
      const [networkProtocol, securityPolicy] = await Promise.all([
        look(linkAt(manager, 'NetworkProtocol')),
        look(linkAt(manager, 'SecurityPolicy')),
      ]);
      return { manager, networkProtocol, securityPolicy };
    }),
  );
  const known = [
    ...managers.flatMap((one, nth) => candidatesOf(one, nth)),
    ...accountCandidates(accountService, managers.some(hasTruststore)),
  ];
  const locations = await look(linkAt(certificateService, 'CertificateLocations'));
  const listed = linksAt(locations, 'Links', 'Certificates').map(parentOf);
  return {
    places: placesOf([...known, ...listed.map((uri) => ({ uri, name: nameByPath(uri) }))]),
    certificateService,
    accounts: linkAt(accountService, 'Accounts'),
    events: textAt(eventService, 'ServerSentEventUri'),
    clockOffset: clockOffset(textAt(managers[0]?.manager, 'DateTime')),
  };
}

/** Below it a difference tells of the way of the answer, and not of the clock. */
const leastOffset = 5000;

function clockOffset(dateTime: string | undefined): number {
  const offset = Date.parse(dateTime ?? '') - Date.now();
  return Math.abs(offset) < leastOffset || Number.isNaN(offset) ? 0 : offset;
}

/** The manager that the service runs on comes before those of other parts. */
function ownFirst(root: unknown, managers: readonly string[]): readonly string[] {
  const own = linkAt(root, 'Links', 'ManagerProvidingService');
  return own === undefined ? managers : [...new Set([own, ...managers])];
}

interface ManagerParts {
  readonly manager: unknown;
  readonly networkProtocol: unknown;
  readonly securityPolicy: unknown;
}

/** OpenBMC's, whose certificates it shows at the places of the standard, too, as second names. */
function hasTruststore({ manager }: ManagerParts): boolean {
  return linkAt(manager, 'Oem', 'OpenBmc', 'Certificates') !== undefined;
}

/** @param nth which manager it is; those behind the first have their places in the names */
function candidatesOf(parts: ManagerParts, nth: number): readonly Candidate[] {
  const { manager, networkProtocol, securityPolicy } = parts;
  const suffix = nth === 0 ? '' : `_${nth + 1}`;
  const policy = (side: string, list: string) => linkAt(securityPolicy, 'TLS', side, list);
  const own = linksAt(manager, 'Oem', 'BmcCertificateManager', 'CertificateCollections');
  const trusted = hasTruststore(parts)
    ? [linkAt(manager, 'Oem', 'OpenBmc', 'Certificates')]
    : ['Server', 'Client'].map((side) => policy(side, 'TrustedCertificates'));
  return [
    {
      uri: linkAt(networkProtocol, 'HTTPS', 'Certificates'),
      name: `server/https${suffix}`,
      isServed: nth === 0,
    },
    ...trusted.map((uri) => ({ uri, name: `authority/truststore${suffix}` })),
    { uri: policy('Server', 'RevokedCertificates'), name: `authority/revoked${suffix}` },
    ...own.map((uri) => ({ uri, name: nameByPath(uri) })),
  ];
}

function accountCandidates(accountService: unknown, isOpenBmc: boolean): readonly Candidate[] {
  const link = (...path: string[]) => linkAt(accountService, ...path, 'Certificates');
  const ofClients = isOpenBmc ? undefined : link('MultiFactorAuth', 'ClientCertificate');
  return [
    { uri: link('LDAP'), name: 'client/ldap' },
    { uri: link('ActiveDirectory'), name: 'client/active_directory' },
    { uri: ofClients, name: 'authority/truststore' },
  ];
}

/** Each collection once. One whose name another one has already is named by its path. */
function placesOf(candidates: readonly Candidate[]): readonly Place[] {
  const places = new Map<string, Place>();
  const uris = new Set<string>();
  for (const { uri, name, isServed = false } of candidates) {
    if (uri === undefined || uris.has(uri)) continue;
    uris.add(uri);
    const free = places.has(name) ? `${name.split('/')[0]}/${pathName(uri)}` : name;
    const endpoint = readEndpoint(free);
    if (endpoint) places.set(free, { endpoint, uri, isServed });
  }
  return [...places.keys()].sort().flatMap((name) => places.get(name) ?? []);
}

export function parentOf(uri: string): string {
  return uri.replace(/\/+[^/]*\/*$/, '');
}

/** The place of a collection that came after the look at the links; `undefined` for one that is not of an endpoint of ours. */
export function placeOfEndpoint(uri: string): Place | undefined {
  const endpoint = ownPath.test(uri) ? readEndpoint(nameByPath(uri)) : undefined;
  return endpoint && { endpoint, uri, isServed: false };
}

const ownPath = /\/CertificateEndpoints\/([^/]+)\/([^/]+)\/Certificates$/;

/** Our own services put the name into the path; for places that have no name here, the path becomes one. */
function nameByPath(uri: string): string {
  const [, type, name] = ownPath.exec(uri) ?? [];
  if (type !== undefined && name !== undefined) return `${type}/${name}`;
  const isTrust =
    /trust|authorit|revoked|boot|VirtualMedia|RemoteServer|ClientCertificate|\bCA\b/i.test(uri);
  return `${isTrust ? 'authority' : 'server'}/${pathName(uri)}`;
}

function pathName(uri: string): string {
  const path = uri.replace(/^\/redfish\/v1\//, '').replace(/\/(Certificates)?$/, '');
  return path.replace(/\W+/g, '_');
}
