import { join } from 'node:path';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import { generateCertificate } from '../../manager/credential/generated-certificate.ts';
import { type Configuration, contentLimitsOf } from '../../platform/configuration.ts';
import { hostAddresses } from '../../platform/host-addresses.ts';
import { InvalidMember } from '../../platform/invalid-member.ts';
import type { Credential } from '../../tls/credential.ts';
import { openServerIdentity, type ServerIdentity } from '../../tls/server-identity.ts';
import { exportPrivateKey } from '../../x509/keys.ts';
import { followServed, type ServedCertificate } from '../certificates/served.ts';
import type { AccessDependencies } from './access.ts';

/** The file of the state directory that holds the last good certificate and its key. */
export const copyName = 'last-good.pem';

/** What the service shows, and what it says of that. */
export interface ReadyIdentity {
  readonly identity: ServerIdentity;
  readonly served: ServedCertificate;
  close(): Promise<void>;
}

/**
 * Opens what the service shows, whatever lies in its file.
 * @throws InvalidMember when the configuration has no such endpoint
 */
export async function openIdentity(dependencies: AccessDependencies): Promise<ReadyIdentity> {
  const { configuration, client, log } = dependencies;
  const { redfish, limits } = configuration;
  const { type, name, path } = servedEndpoint(configuration);
  const identity = await openServerIdentity({
    path,
    copyPath: join(redfish.directory, copyName),
    // A container of the largest size that is uploaded is larger as the PEM that the manager makes of it
    maxBytes: 2 * limits.uploadBytes,
    content: contentLimitsOf(configuration),
    profile: redfish.tls.profile,
    makeSelfSigned: () => selfSigned(dependencies),
    now: Date.now,
    log,
  });
  // Also where no client connects, the copy of a replaced key goes
  const unsubscribe = client.subscribe(({ endpoint }) => {
    if (endpoint.type === type && endpoint.name === name) void identity.refresh();
  });
  return {
    identity,
    served: followServed(identity, { type, name }),
    async close() {
      unsubscribe();
      await identity.close();
    },
  };
}

/** The endpoint whose certificate the service shows. @throws InvalidMember when there is none */
export function servedEndpoint({
  endpoints,
  redfish,
}: Configuration): EndpointRef & { readonly path: string } {
  const found = endpoints.find(({ type, name }) => type === 'server' && name === redfish.endpoint);
  if (found) return found;
  throw new InvalidMember(
    '/redfish/endpoint',
    `is ${redfish.endpoint}, which is no server endpoint`,
  );
}

function selfSigned({ configuration, hostName }: AccessDependencies): Credential {
  const host = { hostName: hostName(), addresses: addressesIfAllowed() };
  const { key, leaf } = generateCertificate(host, configuration.selfSigned, Date.now());
  return { key: exportPrivateKey(key), certificate: leaf, chain: [] };
}

/** The unit of the service keeps it from reading the addresses of the host, for which it takes AF_NETLINK. */
function addressesIfAllowed(): readonly string[] {
  try {
    return hostAddresses();
  } catch {
    return [];
  }
}
