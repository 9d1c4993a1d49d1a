import { validateManagerPatch } from '../../../schemas/generated/validators.js';
import { type CertificateCollection, canonicalCollection } from '../certificates/collections.ts';
import { dateTime } from '../date-time.ts';
import { mayUse } from '../http/privileges.ts';
import { notFound } from '../messages/redfish-error.ts';
import { oemType } from '../oem/declaration.ts';
import {
  collectionView,
  get,
  json,
  link,
  naming,
  type Operation,
  type RequestContext,
  type Resource,
  readOnly,
} from '../resource.ts';
import type { ManagerDetails } from '../set-up/manager-details.ts';

interface ManagerParts {
  readonly managerId: string;
  readonly managerDetails: ManagerDetails;
  readonly serviceId: string;
  readonly hostName: () => string;
  readonly port: () => number;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  readonly collections: () => readonly CertificateCollection[];
  /** Name of the server endpoint whose certificate this service serves with. */
  readonly servedEndpoint: string;
}

const collection = '/redfish/v1/Managers';

/** Managers, the one Manager, and its ManagerNetworkProtocol with the HTTPS certificates. */
export function managers(parts: ManagerParts): readonly Resource[] {
  return [
    readOnly(collection, 'ManagerCollection', () =>
      collectionView(
        collection,
        'ManagerCollection',
        ['Manager Collection', 'The manager that this service runs on'],
        [uriOf(parts)],
      ),
    ),
    {
      path: `${collection}/:manager`,
      entity: 'Manager',
      operations: { GET: get((context) => managerView(parts, context)), PATCH: patch(parts) },
    },
    readOnly(`${collection}/:manager/NetworkProtocol`, 'ManagerNetworkProtocol', (context) =>
      networkProtocolView(parts, context),
    ),
  ];
}

function uriOf({ managerId }: ManagerParts): string {
  return `${collection}/${managerId}`;
}

/** @throws RedfishError 404 */
export function refuseOtherManager(managerId: string, { parameters }: RequestContext): void {
  if (parameters.manager !== managerId) throw notFound('Manager', parameters.manager ?? '');
}

function patch(parts: ManagerParts): Operation {
  return {
    async handle(context) {
      const changes = managerView(parts, context);
      const { ServiceIdentification: text } = context.body.parse(validateManagerPatch, { changes });
      if (text !== undefined) {
        await parts.managerDetails.settings.change(() => ({
          ...(text && { serviceIdentification: text }),
        }));
      }
      return json(managerView(parts, context));
    },
  };
}

/** @throws RedfishError 404 */
function managerView(parts: ManagerParts, context: RequestContext) {
  refuseOtherManager(parts.managerId, context);
  const { managerDetails, serviceId, now } = parts;
  const { firmwareVersion, lastReset, settings } = managerDetails;
  const uri = uriOf(parts);
  return {
    ...naming('Manager', uri),
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
    Oem: oemOf(parts, mayUse(context.identity, 'ConfigureManager')),
  };
}

function oemOf(parts: ManagerParts, mayRead: boolean) {
  const truststore = canonicalCollection(parts.collections(), {
    type: 'authority',
    name: 'truststore',
  });
  const own = parts.collections().filter(({ uri }) => uri.includes('/CertificateEndpoints/'));
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
          '@odata.type': oemType('Manager'),
          CertificateCollections: own.map(({ uri }) => link(uri)),
        },
      }),
  };
}

/** @throws RedfishError 404 */
function networkProtocolView(parts: ManagerParts, context: RequestContext) {
  refuseOtherManager(parts.managerId, context);
  const uri = `${uriOf(parts)}/NetworkProtocol`;
  const https = canonicalCollection(parts.collections(), {
    type: 'server',
    name: parts.servedEndpoint,
  });
  const name = parts.hostName();
  const [label = ''] = name.split('.');
  return {
    ...naming('ManagerNetworkProtocol', uri),
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
      ...(https &&
        mayUse(context.identity, 'ConfigureManager') && { Certificates: link(https.uri) }),
    },
  };
}
