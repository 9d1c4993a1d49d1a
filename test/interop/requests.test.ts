import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRequestFiles } from '../../src/manager/csr/make-request-files.ts';
import { requestFiles } from '../../src/manager/csr/pending-requests.ts';
import { planRequest } from '../../src/manager/csr/plan.ts';
import { makeAuthority, type TestAuthority, writeText } from '../e2e/certificate-authority.ts';
import { must } from '../e2e/commands.ts';
import { csrParameters, makeWorld, type World } from '../fakes/manager-world.ts';
import { full, keyCases } from './full-csr.ts';
import {
  describeByCerttool,
  describeByOpenssl,
  isFor,
  isVerifiedByCerttool,
  oneLine,
} from './tools.ts';

/** In the request and in the certificate, as openssl prints them. */
const opensslExtensions = [
  'DNS:bmc.example.com, DNS:bmc, IP Address:192.0.2.7, IP Address:192.0.2.8, ' +
    'IP Address:2001:DB8:0:0:0:0:0:7, IP Address:2001:DB8:0:0:0:0:0:8, ' +
    'email:admin@example.com, email:ops@example.com, ' +
    'URI:https://bmc.example.com/redfish, URI:https://bmc/',
  'Key Usage: critical Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment, ' +
    'Key Agreement, Certificate Sign, CRL Sign, Encipher Only, Decipher Only',
  'Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication, ' +
    'Code Signing, E-mail Protection, Time Stamping, OCSP Signing',
];
const opensslSubject =
  'Subject: L=Zürich,CN=bmc.example.com,name=Zoë Müller,C=CH,emailAddress=admin@example.com,' +
  'GN=Zoë,initials=ZM,O=Acme, Inc. + Söhne,OU=R+D, "Lab",ST=Graubünden,SN=Müller';
const shownByOpenssl = [
  opensslSubject,
  'challengePassword :pass, w+rd für 7',
  'unstructuredName :rack 7, slot + 3',
  ...opensslExtensions,
];

const certtoolExtensions = [
  'DNSname: bmc.example.com DNSname: bmc IPAddress: 192.0.2.7 IPAddress: 192.0.2.8 ' +
    'IPAddress: 2001:db8::7 IPAddress: 2001:db8::8 ' +
    'RFC822Name: admin@example.com RFC822Name: ops@example.com ' +
    'URI: https://bmc.example.com/redfish URI: https://bmc/',
  'Key Usage (critical): Digital signature. Non repudiation. Key encipherment. ' +
    'Data encipherment. Key agreement. Certificate signing. CRL signing. ' +
    'Key encipher only. Key decipher only.',
  'Key Purpose (not critical): TLS WWW Server. TLS WWW Client. Code signing. Email protection. ' +
    'Time stamping. OCSP signing.',
];
const shownByCerttool = [
  'Subject: surName=Müller,ST=Graubünden,OU=R\\+D\\, \\"Lab\\",O=Acme\\, Inc. \\+ Söhne,' +
    'initials=ZM,givenName=Zoë,EMAIL=admin@example.com,C=CH,name=Zoë Müller,CN=bmc.example.com,L=Zürich',
  'Challenge password: pass\\, w\\+rd für 7',
  // GnuTLS has no name for the attribute
  'rack 7, slot + 3',
  ...certtoolExtensions,
];

const includesAll = (text: string, parts: readonly string[]) => {
  for (const part of parts) assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
};

const names: readonly (readonly [string, string, boolean])[] = [
  ['-checkhost', 'bmc.example.com', true],
  ['-checkhost', 'bmc', true],
  ['-checkhost', 'other.example.com', false],
  ['-checkip', '192.0.2.7', true],
  ['-checkip', '192.0.2.8', true],
  ['-checkip', '2001:db8::7', true],
  ['-checkip', '2001:db8:0::8', true],
  ['-checkip', '192.0.2.9', false],
  ['-checkemail', 'admin@example.com', true],
  ['-checkemail', 'ops@example.com', true],
  ['-checkemail', 'other@example.com', false],
];

for (const { what, given, openssl, certtool } of keyCases) {
  describe(`a full request with ${what}`, () => {
    let world: World;
    let authority: TestAuthority;
    let request: string;
    let certificate: string;
    let certificatePath: string;
    let keyPath: string;
    before(async () => {
      world = makeWorld();
      authority = await makeAuthority(world.directory, 'Interop CA');
      const directory = mkdtempSync(join(world.directory, 'job-'));
      const plan = planRequest(
        csrParameters({ KeyPairAlgorithm: '', ...full, ...given }),
        'server',
      );
      await makeRequestFiles({ directory, plan });
      keyPath = join(directory, requestFiles.key);
      request = readFileSync(join(directory, requestFiles.request), 'utf8');
      certificate = await authority.sign(request);
      certificatePath = writeText(world.directory, 'certificate.pem', certificate);
    });
    after(() => world?.remove());

    it('is verified by openssl, which shows everything that was asked for', async () => {
      includesAll(await describeByOpenssl(request), [openssl, ...shownByOpenssl]);
    });

    it('is verified by certtool, which shows the same', async () => {
      includesAll(await describeByCerttool(request), [certtool, ...shownByCerttool]);
    });

    it('becomes a certificate that both verify', async () => {
      await must('openssl', ['verify', '-CAfile', authority.path, certificatePath]);
      assert.ok(await isVerifiedByCerttool(certificatePath, authority.path));
    });

    it('becomes a certificate with all that it asked for', async () => {
      const text = ['x509', '-noout', '-text', '-nameopt', 'sep_comma_plus,utf8'];
      const byOpenssl = oneLine(await must('openssl', text, certificate));
      includesAll(byOpenssl, [openssl, opensslSubject, ...opensslExtensions]);
      const byCerttool = await must('certtool', ['--certificate-info'], certificate);
      includesAll(oneLine(byCerttool), [certtool, ...certtoolExtensions]);
    });

    it('becomes a certificate for its names and no others', async () => {
      const answers = names.map(([option, name]) => isFor(certificatePath, option, name));
      const expected = names.map(([, , matches]) => matches);
      assert.deepEqual(await Promise.all(answers), expected);
    });

    it('becomes a certificate for the key of the worker', async () => {
      const ofKey = await must('openssl', ['pkey', '-pubout', '-in', keyPath]);
      assert.equal(await must('openssl', ['x509', '-noout', '-pubkey'], certificate), ofKey);
      const byGnutls = await must('certtool', ['--pubkey-info', '--load-privkey', keyPath]);
      assert.ok(byGnutls.includes(ofKey));
    });
  });
}
