import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority, type TestAuthority } from '../e2e/certificate-authority.ts';
import { curl, logIn } from '../e2e/redfish-client.ts';
import {
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';

export const collections = {
  https: '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates',
  ldap: '/redfish/v1/AccountService/LDAP/Certificates',
  truststore: '/redfish/v1/Managers/bmc/Truststore/Certificates',
  revoked: '/redfish/v1/Managers/bmc/SecurityPolicy/TLS/Server/RevokedCertificates',
  syslog: '/redfish/v1/Managers/bmc/CertificateEndpoints/server/syslog/Certificates',
  events: '/redfish/v1/Managers/bmc/CertificateEndpoints/client/events/Certificates',
  ldapca: '/redfish/v1/Managers/bmc/CertificateEndpoints/authority/ldapca/Certificates',
} as const;

/** OpenBMC's three, the list of revoked certificates, and some that no client knows by name. */
function endpointsBelow(state: string): readonly object[] {
  const at = (name: string) => join(state, 'certificates', name);
  return [
    { type: 'server', name: 'https', path: at('https.pem') },
    { type: 'client', name: 'ldap', path: at('ldap.pem') },
    { type: 'authority', name: 'truststore', path: at('truststore') },
    { type: 'authority', name: 'revoked', path: at('revoked'), requireCa: false },
    { type: 'server', name: 'syslog', path: at('syslog.pem') },
    { type: 'client', name: 'events', path: at('events.pem') },
    { type: 'authority', name: 'ldapca', path: at('ldapca') },
  ];
}

/** A running stack with a certificate at every place, and a folder for reports beside it. */
export interface FilledStack {
  readonly stack: RunningStack;
  readonly authority: TestAuthority;
  readonly folder: string;
  close(): Promise<void>;
}

export async function startFilledStack(): Promise<FilledStack> {
  const state = temporaryDirectory();
  const folder = temporaryDirectory();
  const configuration = join(folder, 'configuration.json');
  writeFileSync(configuration, JSON.stringify({ endpoints: endpointsBelow(state) }));
  const stack = await startStack(state, ['--config', configuration]);
  const authority = await makeAuthority(folder, 'validators-ca');
  const client = await authority.issue('ldap.example', [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ]);
  const token = await logIn(stack.url, stack.password);
  const uploads = [
    [collections.ldap, `${client.key}${client.pem}`],
    [collections.truststore, authority.pem],
    [collections.revoked, client.pem],
    [collections.events, `${client.key}${client.pem}`],
    [collections.ldapca, authority.pem],
    ['/redfish/v1/AccountService/Accounts/admin/Certificates', client.pem],
  ] as const;
  for (const [path, body] of uploads) {
    const headers = ['Content-Type: application/x-pem-file'];
    const { status, text } = await curl(`${stack.url}${path}`, {
      ...{ method: 'POST', token, headers, body },
    });
    assert.equal(status, 201, text);
  }
  // Status and reply of this one have messages of a registry of our own
  const warned = await authority.issue('syslog.example', ['-newkey', 'ed25519']);
  const replaced = await curl(
    `${stack.url}/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate`,
    {
      method: 'POST',
      token,
      headers: ['Content-Type: application/json'],
      body: JSON.stringify({
        CertificateString: `${warned.key}${warned.pem}`,
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': `${collections.syslog}/1` },
      }),
    },
  );
  assert.match(
    replaced.text,
    /"Conditions"[\s\S]*"@Message.ExtendedInfo"[\s\S]*BmcCertificates\.1\.0\.CertificateWarning/,
  );
  return {
    stack,
    authority,
    folder,
    async close() {
      await stack.stop();
      removeDirectory(state);
      removeDirectory(folder);
    },
  };
}
