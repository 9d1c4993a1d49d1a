import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the mockup has of certificates, in PEM. */
export interface MockupCertificates {
  readonly https: string;
  readonly trusted: readonly string[];
  readonly boot: string;
}

/**
 * Writes a Redfish service of another maker in the form of DMTF's mockups (DSP2043): a folder for each resource. It has what
 * such services have and ours has not: ids that are no numbers, numbered accounts with free places, roles of its own, a
 * second manager, certificates without their text, no actions of ours and no events.
 */
export function writeMockup(folder: string, certificates: MockupCertificates): void {
  for (const [path, resource] of Object.entries(resources(certificates))) {
    const place = join(folder, path);
    mkdirSync(place, { recursive: true });
    const body = { '@odata.id': `/redfish/v1${path === '' ? '/' : `/${path}`}`, ...resource };
    writeFileSync(join(place, 'index.json'), JSON.stringify(body, null, 2));
  }
}

const link = (path: string) => ({ '@odata.id': `/redfish/v1/${path}` });

function collection(type: string, members: readonly string[]) {
  return {
    '@odata.type': `#${type}Collection.${type}Collection`,
    Name: `${type} Collection`,
    Members: members.map(link),
    'Members@odata.count': members.length,
  };
}

function certificate(Id: string, CertificateString: string | null) {
  const type = { CertificateString, CertificateType: 'PEM' };
  return { '@odata.type': '#Certificate.v1_9_0.Certificate', Id, Name: 'Certificate', ...type };
}

function account(Id: string, UserName: string, RoleId: string, Enabled: boolean) {
  const name = { Id, Name: 'User Account', UserName, Password: null };
  return { '@odata.type': '#ManagerAccount.v1_12_0.ManagerAccount', ...name, RoleId, Enabled };
}

const https = 'Managers/BMC.Embedded.1/NetworkProtocol/HTTPS/Certificates';
const trusted = 'Managers/BMC.Embedded.1/SecurityPolicy/TLS/Client/TrustedCertificates';
const boot = 'Systems/437XR1138R2/Boot/Certificates';
const accounts = 'AccountService/Accounts';

function resources(given: MockupCertificates): Readonly<Record<string, object>> {
  const trustedIds = given.trusted.map((_, at) => `Corporate-CA.${at + 1}`);
  return {
    '': {
      '@odata.type': '#ServiceRoot.v1_16_1.ServiceRoot',
      Id: 'RootService',
      Name: 'Root Service',
      RedfishVersion: '1.18.0',
      Managers: link('Managers'),
      AccountService: link('AccountService'),
      CertificateService: link('CertificateService'),
      EventService: link('EventService'),
      Links: {
        Sessions: link('SessionService/Sessions'),
        ManagerProvidingService: link('Managers/BMC.Embedded.1'),
      },
    },
    EventService: {
      '@odata.type': '#EventService.v1_10_1.EventService',
      Id: 'EventService',
      Name: 'Event Service',
    },
    Managers: collection('Manager', ['Managers/Enclosure', 'Managers/BMC.Embedded.1']),
    'Managers/Enclosure': {
      '@odata.type': '#Manager.v1_19_1.Manager',
      Id: 'Enclosure',
      Name: 'Enclosure Manager',
    },
    'Managers/BMC.Embedded.1': {
      '@odata.type': '#Manager.v1_19_1.Manager',
      Id: 'BMC.Embedded.1',
      Name: 'Manager',
      DateTime: new Date().toISOString(),
      NetworkProtocol: link('Managers/BMC.Embedded.1/NetworkProtocol'),
      SecurityPolicy: link('Managers/BMC.Embedded.1/SecurityPolicy'),
    },
    'Managers/BMC.Embedded.1/NetworkProtocol': {
      '@odata.type': '#ManagerNetworkProtocol.v1_10_1.ManagerNetworkProtocol',
      Id: 'NetworkProtocol',
      Name: 'Manager Network Protocol',
      HTTPS: { ProtocolEnabled: true, Port: 443, Certificates: link(https) },
    },
    'Managers/BMC.Embedded.1/SecurityPolicy': {
      '@odata.type': '#SecurityPolicy.v1_0_3.SecurityPolicy',
      Id: 'SecurityPolicy',
      Name: 'Security Policy',
      TLS: { Client: { TrustedCertificates: link(trusted) } },
    },
    [https]: collection('Certificate', [`${https}/SecurityCertificate.1`]),
    [`${https}/SecurityCertificate.1`]: certificate('SecurityCertificate.1', given.https),
    [trusted]: collection('Certificate', [
      ...[...trustedIds, 'Sealed'].map((id) => `${trusted}/${id}`),
    ]),
    ...Object.fromEntries(
      given.trusted.map((pem, at) => {
        const id = trustedIds[at] ?? '';
        return [`${trusted}/${id}`, certificate(id, pem)] as const;
      }),
    ),
    // As DMTF's own mockups have it
    [`${trusted}/Sealed`]: certificate(
      'Sealed',
      '-----BEGIN CERTIFICATE-----...-----END CERTIFICATE-----',
    ),
    [boot]: collection('Certificate', [`${boot}/1`]),
    [`${boot}/1`]: certificate('1', given.boot),
    CertificateService: {
      '@odata.type': '#CertificateService.v1_0_5.CertificateService',
      Id: 'CertificateService',
      Name: 'Certificate Service',
      CertificateLocations: link('CertificateService/CertificateLocations'),
      Actions: {
        '#CertificateService.GenerateCSR': {
          target: '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR',
        },
        '#CertificateService.ReplaceCertificate': {
          target: '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate',
        },
      },
    },
    'CertificateService/CertificateLocations': {
      '@odata.type': '#CertificateLocations.v1_0_3.CertificateLocations',
      Id: 'CertificateLocations',
      Name: 'Certificate Locations',
      Links: { Certificates: [link(`${https}/SecurityCertificate.1`), link(`${boot}/1`)] },
    },
    AccountService: {
      '@odata.type': '#AccountService.v1_15_1.AccountService',
      Id: 'AccountService',
      Name: 'Account Service',
      Accounts: link(accounts),
    },
    [accounts]: collection(
      'ManagerAccount',
      ['1', '2', '3'].map((id) => `${accounts}/${id}`),
    ),
    [`${accounts}/1`]: account('1', 'root', 'Administrator', true),
    [`${accounts}/2`]: account('2', '', 'None', false),
    [`${accounts}/3`]: account('3', 'operator', 'PowerUser', false),
  };
}
