import type { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import { type TlsProfile, type TlsProfileName, tlsProfiles } from '../../tls/profile.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { mayUse } from '../http/privileges.ts';
import { link, naming, type Resource, readOnly } from '../resource.ts';
import { refuseOtherManager } from './managers.ts';

const collection = '/redfish/v1/Managers';

/**
 * SecurityPolicy of the manager: what it speaks and whom it trusts as a server, and as the client that
 * pushes events, as it is set up.
 */
export function securityPolicy({
  managerId,
  collections,
  tlsProfile,
  access: { certificates },
}: {
  readonly managerId: string;
  readonly collections: () => readonly CertificateCollection[];
  readonly tlsProfile: TlsProfileName;
  readonly access: { readonly certificates?: ClientCertificates };
}): readonly Resource[] {
  const uri = `${collection}/${managerId}/SecurityPolicy`;
  const linkTo = (side: 'Server' | 'Client', property: string) => {
    const collection = collections().find((one) => one.uri === `${uri}/TLS/${side}/${property}`);
    return collection && { [property]: link(collection.uri) };
  };
  return [
    readOnly(`${collection}/:manager/SecurityPolicy`, 'SecurityPolicy', (context) => {
      refuseOtherManager(managerId, context);
      const mayRead = mayUse(context.identity, 'ConfigureManager');
      return {
        ...naming('SecurityPolicy', uri),
        Name: 'Security Policy',
        Description: 'What the manager demands of TLS',
        Status: { State: 'Enabled', Health: 'OK' },
        TLS: {
          Server: {
            Allowed: allowedBy(tlsProfiles[tlsProfile]),
            VerifyCertificate: certificates?.settings.clientCertificates.enabled ?? false,
            ...(mayRead && linkTo('Server', 'TrustedCertificates')),
            ...(mayRead && linkTo('Server', 'RevokedCertificates')),
          },
          Client: {
            Allowed: allowedBy(tlsProfiles.intermediate),
            // A subscription may say otherwise of its own receiver
            VerifyCertificate: true,
            ...(mayRead && linkTo('Client', 'TrustedCertificates')),
          },
        },
      };
    }),
  ];
}

function allowedBy({ versions, suites, legacySuites, signatures }: TlsProfile) {
  return {
    Versions: versions.map((version) => version.replace('TLSv', '')),
    Algorithms: {
      CipherSuites: [...suites, ...legacySuites.map(({ iana }) => iana)],
      SignatureAlgorithms: [...signatures],
    },
  };
}
