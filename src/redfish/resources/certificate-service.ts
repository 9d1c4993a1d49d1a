import { type CsrSources, generateCsrUri } from '../certificates/requests.ts';
import { mayUse } from '../http/privileges.ts';
import { get, link, naming, type RequestContext, type Resource, readOnly } from '../resource.ts';
import { actionInfo } from './action-infos.ts';
import { generateCsr } from './generate-csr.ts';
import { oemActionsView, oemServiceActions } from './oem-actions.ts';
import { type ReplaceParts, replaceCertificate } from './replace-certificate.ts';
import type { ReplacementParts } from './staged-replacements.ts';

const uri = '/redfish/v1/CertificateService';
const locations = `${uri}/CertificateLocations`;
const replaceUri = `${uri}/Actions/CertificateService.ReplaceCertificate`;
const generateInfo = `${uri}/GenerateCSRActionInfo`;
const replaceInfo = `${uri}/ReplaceCertificateActionInfo`;

type ServiceParts = CsrSources & ReplaceParts & ReplacementParts;

/** CertificateService with its actions, and CertificateLocations (DSP2046). */
export function certificateService(parts: ServiceParts): readonly Resource[] {
  return [
    readOnly(uri, 'CertificateService', (context) => serviceView(parts, context)),
    {
      path: locations,
      entity: 'CertificateLocations',
      operations: {
        GET: { ...get(() => certificateLocations(parts)), version: () => parts.client.version },
      },
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
    ...oemServiceActions(parts),
  ];
}

function serviceView(parts: ServiceParts, { identity }: RequestContext) {
  return {
    ...naming('CertificateService', uri),
    Name: 'Certificate Service',
    Description: 'Actions available to manage certificates',
    ...(mayUse(identity, 'ConfigureManager') && { CertificateLocations: link(locations) }),
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
      ...oemActionsView(parts),
    },
  };
}

/** Clients read every certificate of this list, so endpoints that are away are left out of it. */
function certificateLocations({ client, collections }: CsrSources) {
  const certificates = collections()
    .filter(({ inLocations, endpoint }) => inLocations && client.isAvailable(endpoint))
    .flatMap((collection) =>
      client.list(collection.endpoint).map(({ id }) => link(`${collection.uri}/${id}`)),
    );
  return {
    ...naming('CertificateLocations', locations),
    Name: 'Certificate Locations',
    Description: 'Where every certificate of this service is',
    Links: { Certificates: certificates, 'Certificates@odata.count': certificates.length },
  };
}
