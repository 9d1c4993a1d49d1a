import { type EndpointType, endpointTypes } from '../../manager/endpoint-definition.ts';
import { isEndpointId } from '../../manager/run-time/endpoint-id.ts';

export const endpointsName = 'xyz.openbmc_project.Certs.Endpoints';
export const endpointsRoot = '/xyz/openbmc_project/certs/endpoints';

/** An endpoint by its type and its id. */
interface EndpointId {
  readonly type: EndpointType;
  readonly name: string;
}

/** As sd_bus_path_encode(3): what may not stand in a path, or a digit at the beginning, is `_` and two digits of its byte. */
export function escapeId(id: string): string {
  return id.replace(/^[0-9]|[^A-Za-z0-9]/g, (one) => `_${one.charCodeAt(0).toString(16)}`);
}

/** @returns `undefined` for what `escapeId` makes of no id */
export function unescapeId(label: string): string | undefined {
  const id = label.replace(/_([0-9a-f]{2})/g, (_, byte) =>
    String.fromCharCode(Number.parseInt(byte, 16)),
  );
  return isEndpointId(id) && escapeId(id) === label ? id : undefined;
}

export function endpointPath({ type, name }: EndpointId): string {
  return `${endpointsRoot}/${type}/${escapeId(name)}`;
}

/** The endpoint whose object, or one below it, has the path. */
export function endpointAt(path: string): EndpointId | undefined {
  if (!path.startsWith(`${endpointsRoot}/`)) return undefined;
  const [typePart, label = ''] = path.slice(endpointsRoot.length + 1).split('/');
  const type = endpointTypes.find((one) => one === typePart);
  const name = unescapeId(label);
  return type && name !== undefined ? { type, name } : undefined;
}
