import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Argument } from '../conformance/clients.ts';
import { at, type Device, methods, startDevice } from '../conformance/device.ts';
import { requestFor } from '../conformance/request-arguments.ts';
import { run, until } from '../e2e/commands.ts';
import { paths } from '../fakes/manager-process.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
import { type Slapd, startSlapd } from './slapd.ts';

interface Wanted {
  readonly members?: Readonly<Record<string, Argument>>;
  readonly extensions?: readonly string[];
}

const extensions = [
  ...['basicConstraints=CA:FALSE', 'subjectKeyIdentifier=hash', 'extendedKeyUsage=serverAuth'],
  'subjectAltName=IP:127.0.0.1',
];

/**
 * What the `ldap` endpoint is for: a device that asks a directory server, here with OpenLDAP's own client. Server
 * and client read nothing but the files of the manager.
 */
describe('a directory server and its client', () => {
  let device: Device;
  let issuer: Issued;
  let slapd: Slapd;

  const client = (type: 'server' | 'client' | 'authority') => device.clients(type)[0];
  /** Has the key made by the device, and installs what a CA signs for it. */
  const certify = async (
    type: 'server' | 'client',
    subject: string,
    { members, extensions }: Wanted = {},
  ) => {
    const wanted = requestFor({ CommonName: subject, ...members });
    const [request] = await client(type).call(paths[type], methods.request, ...wanted);
    const pem = device.ca.sign(String(request), issuer, extensions);
    return device.ca.write(`${subject}.pem`, pem);
  };
  const whoAmI = async (pem?: string) => {
    const own = pem === undefined ? [] : [`LDAPTLS_CERT=${pem}`, `LDAPTLS_KEY=${pem}`];
    const trusted = `LDAPTLS_CACERT=${device.stored('authority', 'trust_bundle')}`;
    return run('env', [trusted, ...own, 'ldapwhoami', '-H', slapd.url, '-Y', 'EXTERNAL', '-Q']);
  };
  const nameOfClient = async () => {
    const { status, stdout, stderr } = await whoAmI(device.stored('ldap', 'cert.pem'));
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  before(async () => {
    device = await startDevice();
    issuer = device.ca.issueCa();
    await client('authority').call(paths.authority, methods.install, issuer.path);
    const served = await certify('server', 'ldap.example.com', { extensions });
    await client('server').call(`${paths.server}/1`, methods.replace, served);
    const own = await certify('client', 'bmc-1');
    await client('client').call(paths.client, methods.install, own);
    slapd = await startSlapd({
      directory: device.ca.directory,
      pem: device.stored('https', 'server.pem'),
      authorities: device.stored('authority', 'trust_bundle'),
    });
  });
  after(async () => {
    await slapd?.stop();
    await device?.stop();
  });

  it('know each other by what the manager keeps', async () => {
    assert.equal(await nameOfClient(), 'dn:cn=bmc-1');
  });

  it('do not talk without a certificate of the client', async () => {
    assert.notEqual((await whoAmI()).status, 0);
    await until('slapd says why', () => slapd.output().includes('Certificate is required'));
  });

  it('use another certificate with the next connection', async () => {
    const other = await certify('client', 'bmc-2');
    await client('client').call(`${paths.client}/1`, methods.replace, other);
    assert.equal(await nameOfClient(), 'dn:cn=bmc-2');
  });

  it('go on when the server has started on a certificate with an RSA key', async () => {
    const members = { KeyPairAlgorithm: 'RSA', KeyBitLength: 2048n };
    const next = await certify('server', 'ldap.example.com', { members, extensions });
    await client('server').call(`${paths.server}/1`, methods.replace, next);
    await slapd.restart();
    assert.equal(await nameOfClient(), 'dn:cn=bmc-2');
  });

  it('part when the authority goes, and meet again when it comes back', async () => {
    const id = at(await device.ids('authority'), 0);
    const other = device.ca.issueCa({ subject: '/CN=Other CA' });
    await client('authority').call(paths.authority, methods.install, other.path);
    await client('authority').call(`${paths.authority}/${id}`, methods.remove);
    const { status, stderr } = await whoAmI(device.stored('ldap', 'cert.pem'));
    assert.notEqual(status, 0);
    assert.match(stderr, /Can't contact LDAP server/);
    await client('authority').call(paths.authority, methods.install, issuer.path);
    assert.equal(await nameOfClient(), 'dn:cn=bmc-2');
  });
});
