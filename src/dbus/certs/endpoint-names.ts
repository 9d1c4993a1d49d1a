import { type EndpointType, endpointTypes } from '../../manager/endpoint-definition.ts';

/** What an endpoint is called, on the bus and off it. */
export interface EndpointName {
  readonly type: EndpointType;
  readonly name: string;
}

const prefix = 'xyz.openbmc_project.Certs.Manager';

/** All endpoints of a device share this beginning of their bus names. */
export const busNamespace = prefix;

/** `xyz.openbmc_project.Certs.Manager.Server.Https`: only the first letters are raised. */
export function busName({ type, name }: EndpointName): string {
  return `${prefix}.${raise(type)}.${raise(name)}`;
}

export function rootPath({ type, name }: EndpointName): string {
  return `/xyz/openbmc_project/certs/${type}/${name}`;
}

/** The endpoint behind a bus name; `undefined` for the name of something else. */
export function parseBusName(text: string): EndpointName | undefined {
  const [typePart, namePart, ...rest] = text.startsWith(`${prefix}.`)
    ? text.slice(prefix.length + 1).split('.')
    : [];
  const type = endpointTypes.find((one) => typePart !== undefined && raise(one) === typePart);
  if (!type || !namePart || rest.length > 0) return undefined;
  return { type, name: `${namePart.slice(0, 1).toLowerCase()}${namePart.slice(1)}` };
}

function raise(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
