import { validateManagerPatch } from '../../../schemas/generated/validators.js';
import type { Identity } from '../../identity/identity.ts';
import { hasPrivilege } from '../../identity/roles.ts';
import { canonicalPlace } from '../certificates/collections.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type RequestContext } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory, ServiceParts } from '../service-parts.ts';

const collection = '/redfish/v1/Managers';

/** Managers, the one Manager, and its ManagerNetworkProtocol with the HTTPS certificates. */
export const managers: ResourceFactory = (parts) => [
  {
    path: collection,
    entity: 'ManagerCollection',
    operations: {
      GET: {
        handle: () =>
          json({
            '@odata.id': collection,
            '@odata.type': typeOf('ManagerCollection'),
            Name: 'Manager Collection',
            Description: 'The manager that this service runs on',
            Members: [link(uriOf(parts))],
            'Members@odata.count': 1,
          }),
      },
    },
  },
  {
    path: `${collection}/:manager`,
    entity: 'Manager',
    operations: {
      GET: {
        handle(context) {
          mustBeOurs(parts, context);
          return json(managerView(parts, context));
        },
      },
      PATCH: {
        async handle(context) {
          mustBeOurs(parts, context);
          await patchManager(parts, context);
          return json(managerView(parts, context));
        },
      },
    },
  },
  {
    path: `${collection}/:manager/NetworkProtocol`,
    entity: 'ManagerNetworkProtocol',
    operations: {
      GET: {
        handle(context) {
          mustBeOurs(parts, context);
          return json(networkProtocolView(parts, context));
        },
      },
    },
  },
];

function uriOf({ managerId }: ServiceParts): string {
  return `${collection}/${managerId}`;
}

/** @throws RedfishError 404 */
function mustBeOurs({ managerId }: ServiceParts, { parameters }: RequestContext): void {
  if (parameters.manager === managerId) return;
  const args = ['Manager', parameters.manager ?? ''];
  throw new RedfishError(404, { id: 'ResourceNotFound', args });
}

async function patchManager(parts: ServiceParts, context: RequestContext): Promise<void> {
  const changes = managerView(parts, context);
  const { ServiceIdentification: text } = context.body.parse(validateManagerPatch, { changes });
  if (text === undefined) return;
  await parts.managerDetails.settings.change(() => ({
    ...(text && { serviceIdentification: text }),
  }));
}

function managerView(parts: ServiceParts, { identity }: RequestContext) {
  const { managerId, managerDetails, serviceId, now } = parts;
  const { firmwareVersion, lastReset, settings } = managerDetails;
  const uri = uriOf(parts);
  return {
    '@odata.id': uri,
    '@odata.type': typeOf('Manager'),
    Id: managerId,
    Name: 'OpenBmc Manager',
    Description: 'Baseboard Management Controller',
    ManagerType: 'BMC',
    UUID: serviceId,
    ServiceEntryPointUUID: serviceId,
    FirmwareVersion: firmwareVersion,
    ServiceIdentification: settings.value.serviceIdentification ?? '',
    DateTime: dateTime(now()),
    DateTimeLocalOffset: '+00:00',
    LastResetTime: dateTime(lastReset()),
    PowerState: 'On',
    Status: { State: 'Enabled', Health: 'OK' },
    NetworkProtocol: link(`${uri}/NetworkProtocol`),
    SecurityPolicy: link(`${uri}/SecurityPolicy`),
    Links: {},
    Oem: oemOf(parts, mayReadCertificates(identity)),
  };
}

function dateTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, '+00:00');
}

function mayReadCertificates(identity: Identity | undefined): boolean {
  return identity !== undefined && hasPrivilege(identity.account.role, 'ConfigureManager');
}

function oemOf(parts: ServiceParts, mayRead: boolean) {
  const truststore = canonicalPlace(parts.places, { type: 'authority', name: 'truststore' });
  const own = parts.places.filter(({ uri }) => uri.includes('/CertificateEndpoints/'));
  return {
    ...(truststore && {
      OpenBmc: {
        '@odata.id': `${uriOf(parts)}#/Oem/OpenBmc`,
        '@odata.type': '#OpenBMCManager.v1_1_0.Manager',
        Certificates: link(truststore.uri),
      },
    }),
    // The schema has no member for collections of endpoints that are not Redfish's own
    ...(own.length > 0 &&
      mayRead && {
        BmcCertificateManager: {
          '@odata.type': '#BmcCertificateManager.v1_0_0.Manager',
          CertificateCollections: own.map(({ uri }) => link(uri)),
        },
      }),
  };
}

function networkProtocolView(parts: ServiceParts, { identity }: RequestContext) {
  const uri = `${uriOf(parts)}/NetworkProtocol`;
  const https = canonicalPlace(parts.places, { type: 'server', name: parts.servedEndpoint });
  const name = parts.hostName();
  const [label = ''] = name.split('.');
  return {
    '@odata.id': uri,
    '@odata.type': typeOf('ManagerNetworkProtocol'),
    Id: 'NetworkProtocol',
    Name: 'Manager Network Protocol',
    Description: 'Manager Network Service',
    // Without its domain (DSP2046, ManagerNetworkProtocol)
    HostName: label,
    ...(label !== name && { FQDN: name }),
    Status: { State: 'Enabled', Health: 'OK' },
    HTTP: { ProtocolEnabled: false },
    HTTPS: {
      ProtocolEnabled: true,
      Port: parts.port(),
      ...(https && mayReadCertificates(identity) && { Certificates: link(https.uri) }),
    },
  };
}
