import { json, link, type ResourceFactory, type ServiceParts } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import { generateCsr } from './generate-csr.ts';
import { replaceCertificate } from './replace-certificate.ts';

const uri = '/redfish/v1/CertificateService';
const locations = `${uri}/CertificateLocations`;
const actions = `${uri}/Actions`;

/** CertificateService with its actions, and CertificateLocations (DSP2046). */
export const certificateService: ResourceFactory = (parts) => [
  {
    path: uri,
    entity: 'CertificateService',
    operations: {
      GET: {
        handle: () =>
          json({
            '@odata.id': uri,
            '@odata.type': typeOf('CertificateService'),
            Id: 'CertificateService',
            Name: 'Certificate Service',
            Description: 'Actions available to manage certificates',
            CertificateLocations: link(locations),
            Actions: {
              '#CertificateService.GenerateCSR': {
                target: `${actions}/CertificateService.GenerateCSR`,
              },
              '#CertificateService.ReplaceCertificate': {
                target: `${actions}/CertificateService.ReplaceCertificate`,
                'CertificateType@Redfish.AllowableValues': ['PEM', 'PEMchain'],
              },
            },
          }),
      },
    },
  },
  {
    path: locations,
    entity: 'CertificateLocations',
    operations: {
      GET: { handle: () => json(certificateLocations(parts)) },
    },
  },
  {
    path: `${actions}/CertificateService.GenerateCSR`,
    entity: 'CertificateService',
    operations: { POST: generateCsr(parts) },
  },
  {
    path: `${actions}/CertificateService.ReplaceCertificate`,
    entity: 'CertificateService',
    operations: { POST: replaceCertificate(parts) },
  },
];

/** Clients read every certificate of this list, so endpoints that are away are left out of it. */
function certificateLocations({ client, places }: ServiceParts) {
  const certificates = places
    .filter(({ canonical, endpoint }) => canonical && client.isAvailable(endpoint))
    .flatMap((place) => client.list(place.endpoint).map(({ id }) => link(`${place.uri}/${id}`)));
  return {
    '@odata.id': locations,
    '@odata.type': typeOf('CertificateLocations'),
    Id: 'CertificateLocations',
    Name: 'Certificate Locations',
    Description: 'Where every certificate of this service is',
    Links: { Certificates: certificates, 'Certificates@odata.count': certificates.length },
  };
}
