import type { CertificateClient, EndpointRef } from '../manager/certificate-client.ts';
import { type EndpointType, endpointTypes } from '../manager/endpoint-definition.ts';
import { isEndpointId, runTimePrefix } from '../manager/run-time/endpoint-id.ts';
import { CommandError } from './framework/exit-status.ts';
import type { ValueKind } from './framework/value-kind.ts';

/** An installed certificate as it is named on the command line. */
export interface CertificateRef {
  readonly endpoint: EndpointRef;
  readonly id: string;
}

export const endpointValue: ValueKind<EndpointRef> = endpointOfType();

/** An endpoint that must be of a type. */
export function endpointOfType(type?: EndpointType): ValueKind<EndpointRef> {
  const example = `${type ?? 'server'}/${type === 'authority' ? 'truststore' : 'https'}`;
  return {
    placeholder: 'ENDPOINT',
    parse(text) {
      const endpoint = readEndpoint(text);
      if (endpoint && (type === undefined || endpoint.type === type)) return endpoint;
      throw new CommandError(
        'usage',
        `An endpoint is named like ${example}, not ${JSON.stringify(text)}.`,
      );
    },
    completion: { ask: 'list --quiet', keep: `s#^(${type ?? '[a-z]+'}/[^/]+).*#\\1#p` },
  };
}

/** The endpoints that a command shows. */
export const shownEndpoints = {
  kind: endpointValue,
  about: 'endpoints to show; all of them unless given',
  multiple: true,
  optional: true,
} as const;

/** For completion: an endpoint that is empty has no certificate. */
export const listedCertificates = { ask: 'list --quiet', keep: '/\\/.*\\//p' } as const;

/** A server or client has one certificate, whose number need not be given. */
export const certificateValue: ValueKind<CertificateRef> = {
  placeholder: 'CERTIFICATE',
  parse(text) {
    const found = readCertificate(text);
    if (found) return found;
    throw new CommandError(
      'usage',
      `A certificate is named like server/https/1, not ${JSON.stringify(text)}.`,
    );
  },
  completion: listedCertificates,
};

/** @returns `undefined` for a text that names something else, such as a file */
export function readCertificate(text: string): CertificateRef | undefined {
  // Redfish services may have other ids than numbers
  const [, name = '', id] = /^([^/]+\/[^/]+)(?:\/([\w.:-]+))?$/.exec(text) ?? [];
  const endpoint = readEndpoint(name);
  if (!endpoint) return undefined;
  if (id !== undefined) return { endpoint, id };
  return endpoint.type === 'authority' ? undefined : { endpoint, id: '1' };
}

export function readEndpoint(text: string): EndpointRef | undefined {
  const [typeName, name, ...rest] = text.split('/');
  const type = endpointTypes.find((one) => one === typeName);
  if (!type || name === undefined || rest.length > 0) return undefined;
  const id = name.startsWith(runTimePrefix) ? name.slice(runTimePrefix.length) : name;
  // Services of others have names of any length
  return /^[A-Za-z_]\w*$/.test(name) || isEndpointId(id) ? { type, name } : undefined;
}

/** Whether an endpoint is one of the configuration, or came at run time. */
export const originField = {
  type: 'text',
  title: 'Origin',
  about: '`configuration` of the manager, or `run time`',
} as const;

export function originOf(client: CertificateClient, { type, name }: EndpointRef): string {
  const isOfRunTime = client
    .runTimeEndpoints()
    .some((one) => one.type === type && one.name === name);
  return isOfRunTime ? 'run time' : 'configuration';
}

export function nameOf({ type, name }: EndpointRef, id?: string): string {
  return id === undefined ? `${type}/${name}` : `${type}/${name}/${id}`;
}

/** @throws CommandError `not-found` that names those that there are */
export function mustHave(client: CertificateClient, endpoint: EndpointRef): void {
  if (client.isAvailable(endpoint)) return;
  const names = client.endpoints().map((one) => nameOf(one));
  throw new CommandError(
    'not-found',
    `There is no endpoint ${nameOf(endpoint)}; the endpoints are ${names.join(', ')}.`,
  );
}

/** @throws CommandError `not-found` that says what there is */
export function installedAt(client: CertificateClient, { endpoint, id }: CertificateRef) {
  mustHave(client, endpoint);
  const all = client.list(endpoint);
  const found = all.find((one) => one.id === id);
  if (found) return found;
  const names = all.map((one) => nameOf(endpoint, one.id));
  const next = names.length === 0 ? 'the endpoint is empty' : `there are ${names.join(', ')}`;
  throw new CommandError('not-found', `There is no certificate ${nameOf(endpoint, id)}; ${next}.`);
}

/** Where the package puts the configuration. */
export const defaultConfiguration = '/etc/bmc-certificate-manager/configuration.json';
