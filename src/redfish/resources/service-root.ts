import type { QueryLimits } from '../query/limits.ts';
import { json, link, type Operation, type Resource } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ManagerDetails } from '../set-up/manager-details.ts';

const root = '/redfish/v1';

/** What lies directly below the root, for OData clients. */
const services = [
  'AccountService',
  'CertificateService',
  'EventService',
  'JsonSchemas',
  'Managers',
  'Registries',
  'SessionService',
  'TaskService',
];

/** `/redfish`, the service root and the OData service document (DSP0266, "Resources"). */
export function serviceRoot(parts: {
  readonly managerId: string;
  readonly managerDetails: Pick<ManagerDetails, 'settings'>;
  readonly serviceId: string;
  readonly query: Pick<QueryLimits, 'expandLevels'>;
}): readonly Resource[] {
  return [
    open('/redfish', () => ({ v1: `${root}/` })),
    open(
      root,
      () => rootView(parts),
      () => parts.managerDetails.settings.value,
    ),
    open(`${root}/odata`, () => ({
      '@odata.context': `${root}/$metadata`,
      value: services.map((name) => ({ name, kind: 'Singleton', url: `${root}/${name}` })),
    })),
  ];
}

function open(path: string, view: () => object, version?: Operation['version']): Resource {
  const GET = { open: true, handle: () => json(view()), ...(version && { version }) } as const;
  return { path, entity: 'ServiceRoot', operations: { GET } };
}

function rootView({
  managerId,
  managerDetails: { settings },
  serviceId,
  query,
}: Parameters<typeof serviceRoot>[0]) {
  return {
    '@odata.id': root,
    '@odata.type': typeOf('ServiceRoot'),
    Id: 'RootService',
    Name: 'Root Service',
    Description: 'The Redfish service of a BMC, for its certificates',
    Product: 'bmc-certificate-manager',
    // Absent where there is none (DSP2046, ServiceRoot)
    ...(settings.value.serviceIdentification !== undefined && {
      ServiceIdentification: settings.value.serviceIdentification,
    }),
    RedfishVersion: '1.17.0',
    UUID: serviceId,
    ProtocolFeaturesSupported: {
      ExcerptQuery: false,
      ExpandQuery: {
        ExpandAll: true,
        Levels: true,
        Links: true,
        MaxLevels: query.expandLevels,
        NoLinks: true,
      },
      FilterQuery: true,
      FilterQueryComparisonOperations: true,
      FilterQueryCompoundOperations: true,
      OnlyMemberQuery: true,
      SelectQuery: true,
      TopSkipQuery: true,
    },
    AccountService: link(`${root}/AccountService`),
    CertificateService: link(`${root}/CertificateService`),
    JsonSchemas: link(`${root}/JsonSchemas`),
    EventService: link(`${root}/EventService`),
    Managers: link(`${root}/Managers`),
    Registries: link(`${root}/Registries`),
    SessionService: link(`${root}/SessionService`),
    Tasks: link(`${root}/TaskService`),
    Links: {
      ManagerProvidingService: link(`${root}/Managers/${managerId}`),
      Sessions: link(`${root}/SessionService/Sessions`),
    },
  };
}
