import { type TlsProfile, tlsProfiles } from '../https/profile.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type ResourceFactory } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

const collection = '/redfish/v1/Managers';

/** SecurityPolicy of the manager: what its TLS server speaks and whom it trusts, as it is set up. */
export const securityPolicy: ResourceFactory = (parts) => {
  const { managerId, places, tlsProfile, access } = parts;
  const uri = `${collection}/${managerId}/SecurityPolicy`;
  const linkTo = (property: string, name: string) => {
    const own = places.find((place) => place.uri === `${uri}/TLS/Server/${property}`);
    const place = own ?? places.find((one) => one.canonical && one.endpoint.name === name);
    return place ? { [property]: link(place.uri) } : {};
  };
  const trusted = linkTo('TrustedCertificates', 'truststore');
  const revoked = linkTo('RevokedCertificates', 'revoked');
  return [
    {
      path: `${collection}/:manager/SecurityPolicy`,
      entity: 'SecurityPolicy',
      operations: {
        GET: {
          handle: ({ parameters }) => {
            if (parameters.manager !== managerId) throw noSuchManager(parameters.manager ?? '');
            return json({
              '@odata.id': uri,
              '@odata.type': typeOf('SecurityPolicy'),
              Id: 'SecurityPolicy',
              Name: 'Security Policy',
              Description: 'What the manager demands of TLS',
              TLS: {
                Server: {
                  Allowed: allowedBy(tlsProfiles[tlsProfile]),
                  VerifyCertificate: access.certificates?.settings.current.enabled ?? false,
                  ...trusted,
                  ...revoked,
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
