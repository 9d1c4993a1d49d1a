import type { StoredNetconfNames } from '../../../schemas/generated/validators.js';
import type { EndpointRef } from '../../manager/certificate-client.ts';

export const noNames: StoredNetconfNames = { endpoints: [] };

type Named = StoredNetconfNames['endpoints'][number];

/** What clients said of one endpoint. */
export interface EndpointNames {
  readonly description: string | undefined;
  /** By the fingerprint of the certificate. */
  readonly certificates: ReadonlyMap<string, string>;
}

export function namesOf({ endpoints }: StoredNetconfNames, endpoint: EndpointRef): EndpointNames {
  const found = endpoints.find((one) => isSame(one, endpoint));
  const certificates = found?.certificates.map(
    ({ fingerprint, name }) => [fingerprint, name] as const,
  );
  return { description: found?.description, certificates: new Map(certificates) };
}

/**
 * Adds the names of certificates of which nothing is known: what is in service keeps its names, and what may come has its own,
 * whatever becomes of an edit.
 */
export function withFurtherNames(
  stored: StoredNetconfNames,
  changed: readonly (EndpointRef & EndpointNames)[],
): StoredNetconfNames {
  const merged = changed.map((one) => {
    const known = namesOf(stored, one);
    const isStored = stored.endpoints.some((other) => isSame(one, other));
    return {
      ...one,
      description: isStored ? known.description : one.description,
      certificates: new Map([...one.certificates, ...known.certificates]),
    };
  });
  return withNames(stored, merged, () => true);
}

/**
 * Puts the names of some endpoints in the place of what was known of them; of the others only those stay that are there.
 * @param isThere whether the manager has an endpoint
 */
export function withNames(
  { endpoints }: StoredNetconfNames,
  changed: readonly (EndpointRef & EndpointNames)[],
  isThere: (endpoint: EndpointRef) => boolean,
): StoredNetconfNames {
  const others = endpoints.filter(
    (one) => !changed.some((other) => isSame(one, other)) && isThere(one),
  );
  const named = changed.map(({ type, name, description, certificates }): Named => {
    const list = [...certificates].map(([fingerprint, called]) => ({ fingerprint, name: called }));
    return { type, name, ...(description !== undefined && { description }), certificates: list };
  });
  const isOfUse = ({ description, certificates }: Named) =>
    description !== undefined || certificates.length > 0;
  return { endpoints: [...others, ...named.filter(isOfUse)] };
}

function isSame(one: EndpointRef, other: EndpointRef): boolean {
  return one.type === other.type && one.name === other.name;
}
