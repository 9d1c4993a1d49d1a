import { CertError } from '../../core/cert-error.ts';
import { namespaces } from '../models/modules.ts';
import { type ErrorTag, RpcError } from '../rpc/rpc-error.ts';
import { certError } from './cert-errors.ts';
import { errorPath, type PathStep } from './data-path.ts';

/** The lists of keys and of bags, and where the certificates of each entry are. */
export const places = {
  keys: {
    namespace: namespaces.keystore,
    list: ['keystore', 'asymmetric-keys', 'asymmetric-key'],
    certificates: ['certificates', 'certificate'],
  },
  bags: {
    namespace: namespaces.truststore,
    list: ['truststore', 'certificate-bags', 'certificate-bag'],
    certificates: ['certificate'],
  },
} as const;

export type PlaceList = keyof typeof places;

/** Which key or bag, or which certificate of it, an edit is about. */
export interface Place {
  readonly list: PlaceList;
  /** Of the key or bag. */
  readonly name: string;
  readonly path: readonly PathStep[];
}

export function holderPlace(list: PlaceList, name: string): Place {
  return { list, name, path: stepsTo(list, places[list].list, name) };
}

export function certificatePlace({ list, name, path }: Place, certificate: string): Place {
  return { list, name, path: [...path, ...stepsTo(list, places[list].certificates, certificate)] };
}

/** The path to an entry of a list. */
function stepsTo(list: PlaceList, names: readonly string[], key: string): PathStep[] {
  const { namespace } = places[list];
  return names.map((name, at) => ({
    ...{ namespace, name },
    ...(at === names.length - 1 && { key: { name: 'name', value: key } }),
  }));
}

export function errorAt({ path }: Place, tag: ErrorTag, message: string, appTag?: string) {
  const details = { type: 'application', path: errorPath(path) } as const;
  return new RpcError(tag, message, { ...details, ...(appTag !== undefined && { appTag }) });
}

/** Does what reads what a client sent. @throws RpcError for a CertError */
export function readingAt<T>({ path }: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CertError ? certError(error, path) : error;
  }
}
