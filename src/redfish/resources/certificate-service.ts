import { hasPrivilege } from '../../identity/roles.ts';
import { generateCsrUri } from '../certificates/requests.ts';
import { json, link, type RequestContext } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory, ServiceParts } from '../service-parts.ts';
import { actionInfo } from './action-infos.ts';
import { generateCsr } from './generate-csr.ts';
import { replaceCertificate } from './replace-certificate.ts';

const uri = '/redfish/v1/CertificateService';
const locations = `${uri}/CertificateLocations`;
const replaceUri = `${uri}/Actions/CertificateService.ReplaceCertificate`;
const generateInfo = `${uri}/GenerateCSRActionInfo`;
const replaceInfo = `${uri}/ReplaceCertificateActionInfo`;

/** CertificateService with its actions, and CertificateLocations (DSP2046). */
export const certificateService: ResourceFactory = (parts) => [
  {
    path: uri,
    entity: 'CertificateService',
    operations: { GET: { handle: (context) => json(serviceView(context)) } },
  },
  {
    path: locations,
    entity: 'CertificateLocations',
    operations: { GET: { handle: () => json(certificateLocations(parts)) } },
  },
  {
    path: generateCsrUri,
    entity: 'CertificateService',
    operations: { POST: generateCsr(parts) },
  },
  {
    path: replaceUri,
    entity: 'CertificateService',
    operations: { POST: replaceCertificate(parts) },
  },
  actionInfo(generateInfo, 'GenerateCSR'),
  actionInfo(replaceInfo, 'ReplaceCertificate'),
];

function serviceView({ identity }: RequestContext) {
  const mayRead = identity && hasPrivilege(identity.account.role, 'ConfigureManager');
  return {
    '@odata.id': uri,
    '@odata.type': typeOf('CertificateService'),
    Id: 'CertificateService',
    Name: 'Certificate Service',
    Description: 'Actions available to manage certificates',
    ...(mayRead && { CertificateLocations: link(locations) }),
    Actions: {
      '#CertificateService.GenerateCSR': {
        target: generateCsrUri,
        '@Redfish.ActionInfo': generateInfo,
      },
      '#CertificateService.ReplaceCertificate': {
        target: replaceUri,
        '@Redfish.ActionInfo': replaceInfo,
        'CertificateType@Redfish.AllowableValues': ['PEM', 'PEMchain', 'PKCS7', 'PKCS12'],
      },
    },
  };
}

/** Clients read every certificate of this list, so endpoints that are away are left out of it. */
function certificateLocations({ client, places }: ServiceParts) {
  const certificates = places
    .filter(({ inLocations, endpoint }) => inLocations && client.isAvailable(endpoint))
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
