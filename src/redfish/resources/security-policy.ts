import { hasPrivilege } from '../../identity/roles.ts';
import { type TlsProfile, tlsProfiles } from '../../tls/profile.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory } from '../service-parts.ts';

const collection = '/redfish/v1/Managers';

/**
 * SecurityPolicy of the manager: what it speaks and whom it trusts as a server, and as the client that
 * pushes events, as it is set up.
 */
export const securityPolicy: ResourceFactory = (parts) => {
  const { managerId, places, tlsProfile, access } = parts;
  const uri = `${collection}/${managerId}/SecurityPolicy`;
  const linkTo = (mayRead: boolean, side: 'Server' | 'Client', property: string) => {
    const place = places.find((one) => one.uri === `${uri}/TLS/${side}/${property}`);
    return place && mayRead ? { [property]: link(place.uri) } : {};
  };
  return [
    {
      path: `${collection}/:manager/SecurityPolicy`,
      entity: 'SecurityPolicy',
      operations: {
        GET: {
          handle: ({ parameters, identity }) => {
            if (parameters.manager !== managerId) throw noSuchManager(parameters.manager ?? '');
            const mayRead =
              identity !== undefined && hasPrivilege(identity.account.role, 'ConfigureManager');
            return json({
              '@odata.id': uri,
              '@odata.type': typeOf('SecurityPolicy'),
              Id: 'SecurityPolicy',
              Name: 'Security Policy',
              Description: 'What the manager demands of TLS',
              Status: { State: 'Enabled', Health: 'OK' },
              TLS: {
                Server: {
                  Allowed: allowedBy(tlsProfiles[tlsProfile]),
                  VerifyCertificate:
                    access.certificates?.settings.clientCertificates.enabled ?? false,
                  ...linkTo(mayRead, 'Server', 'TrustedCertificates'),
                  ...linkTo(mayRead, 'Server', 'RevokedCertificates'),
                },
                Client: {
                  Allowed: allowedBy(tlsProfiles.intermediate),
                  // A subscription may say otherwise of its own receiver
                  VerifyCertificate: true,
                  ...linkTo(mayRead, 'Client', 'TrustedCertificates'),
                },
              },
            });
          },
        },
      },
    },
  ];
};

function allowedBy({ versions, suites, legacySuites, signatures }: TlsProfile) {
  return {
    Versions: versions.map((version) => version.replace('TLSv', '')),
    Algorithms: {
      CipherSuites: [...suites, ...legacySuites.map(({ iana }) => iana)],
      SignatureAlgorithms: [...signatures],
    },
  };
}

function noSuchManager(name: string): RedfishError {
  return new RedfishError(404, { id: 'ResourceNotFound', args: ['Manager', name] });
}
