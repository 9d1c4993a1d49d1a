import { CertError } from '../../core/cert-error.ts';
import type { TrustLists } from '../../identity/peer-certificates/chain.ts';
import type { CertificateClient, EndpointRef } from '../../manager/certificate-client.ts';
import type { EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import type { Certificate } from '../../x509/certificate.ts';

export interface ClientTrustOptions {
  /** The endpoints of the configuration. */
  readonly certificates: CertificateClient;
  /** Those of run time. */
  readonly endpoints: EdgeEndpoints;
  /** Which endpoints the configuration has. */
  readonly configured: () => readonly EndpointRef[];
  /** Names of the authorities that verify clients. */
  readonly names: () => readonly string[];
}

/** Whom the service trusts: the CAs of several endpoints, together, and the list of revoked certificates where there is one. */
export interface ClientTrust {
  /** `undefined` while one of the lists cannot be read. */
  lists(): TrustLists | undefined;
  /** The lists once authorities of run time have other certificates. */
  after(changed: ReadonlyMap<string, readonly Certificate[]>): TrustLists | undefined;
  /** Names that no endpoint has; none while the manager is away. */
  missing(): readonly string[];
}

export function makeClientTrust(options: ClientTrustOptions): ClientTrust {
  const { certificates, endpoints, configured, names } = options;
  const revoked: EndpointRef = { type: 'authority', name: 'revoked' };
  const isConfigured = ({ type, name }: EndpointRef) =>
    configured().some((one) => one.type === type && one.name === name);

  const ofConfigured = (endpoint: EndpointRef) =>
    certificates.isAvailable(endpoint)
      ? certificates.list(endpoint).map(({ certificate }) => certificate)
      : undefined;
  const ofRunTime = (endpoint: EndpointRef) =>
    endpoints.isAvailable
      ? (endpoints.find(endpoint)?.certificates ?? []).map(({ certificate }) => certificate)
      : undefined;
  const listOf = (endpoint: EndpointRef) =>
    whileThere(() => (isConfigured(endpoint) ? ofConfigured(endpoint) : ofRunTime(endpoint)));

  const listsWith = (changed: ReadonlyMap<string, readonly Certificate[]>) => {
    const trusted: Certificate[] = [];
    for (const name of names()) {
      const endpoint = { type: 'authority', name } as const;
      const list = (isConfigured(endpoint) ? undefined : changed.get(name)) ?? listOf(endpoint);
      if (!list) return undefined;
      trusted.push(...list);
    }
    const listed = isConfigured(revoked) ? listOf(revoked) : [];
    return listed && { trusted, revoked: listed };
  };

  return {
    lists: () => listsWith(new Map()),
    after: listsWith,
    missing: () =>
      names().filter((name) => {
        const endpoint = { type: 'authority', name } as const;
        if (isConfigured(endpoint) || !endpoints.isAvailable) return false;
        return whileThere(() => endpoints.find(endpoint)) === undefined;
      }),
  };
}

/** @returns `undefined` also where the manager went away just now */
function whileThere<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertError) return undefined;
    throw error;
  }
}
