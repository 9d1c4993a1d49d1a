import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { AccessSettings } from '../../../src/identity/accounts/access-settings.ts';
import { AccountCertificates } from '../../../src/identity/peer-certificates/account-certificates.ts';
import { ClientCertificates } from '../../../src/identity/peer-certificates/client-certificates.ts';
import { forgetCertificates } from '../../../src/identity/peer-certificates/forget.ts';
import { removeUser } from '../../../src/redfish/resources/account-life.ts';
import { purgeOrphanedUserData } from '../../../src/redfish/set-up/orphaned-user-data.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { MemoryClient } from '../../fakes/memory-client.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { samplePem, startService, type TestService } from '../../redfish/service.ts';

const limits = { perAccount: 2, accountCertificateBytes: 4096, content: usualLimits };
const fewNames = { ...limits, content: { ...usualLimits, alternativeNames: 3 } };
const truststore = { type: 'authority', name: 'truststore' } as const;

describe('a certificate of an account that cannot be read as it was stored', () => {
  let authority: OpensslAuthority;
  let plain: Issued;
  let swollen: Issued;
  let service: TestService;
  let path: string;
  const lines: string[] = [];
  const note = (message: string, fields?: object) =>
    lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: note, info: note, warn: note, error: note };

  before(() => {
    authority = opensslAuthority();
    plain = authority.issue({ subject: '/CN=plain' });
    const names = [1, 2, 3, 4].map((n) => `DNS:host${n}.example`);
    const extensions = [`subjectAltName=${names.join()}`];
    swollen = authority.issue({ subject: '/CN=swollen', extensions });
  });
  after(() => authority.remove());
  beforeEach(async () => {
    service = await startService();
    path = join(service.directory, 'stored.json');
    const certificates = [
      { userName: 'reader', pem: swollen.pem },
      { userName: 'admin', pem: plain.pem },
      { userName: 'reader', pem: 'damaged' },
    ];
    writeFileSync(path, JSON.stringify({ certificates }));
    lines.length = 0;
  });
  afterEach(() => service.close());

  const open = (as = fewNames) => new AccountCertificates(path, as, log);
  const stored = (): { userName: string; pem: string }[] =>
    JSON.parse(readFileSync(path, 'utf8')).certificates;
  const namesOf = (list: readonly { userName: string }[]) => list.map(({ userName }) => userName);

  it('counts no more when its owner is gone, also where the disk does not say so now', async () => {
    const certificates = open(limits);
    const left = { certificates, sessions: service.sessions };
    rmSync(path);
    mkdirSync(path);
    const users = { find: async () => undefined, list: async () => [] };
    await assert.rejects(purgeOrphanedUserData(left, users));
    assert.deepEqual(certificates.kept, []);
  });

  it('is of nobody and keeps no other from its account; the log names whose it was', () => {
    const kept = open();
    assert.deepEqual(namesOf(kept.all), ['admin']);
    assert.deepEqual(kept.of('reader'), []);
    assert.equal(kept.ownerOf(swollen.certificate), undefined);
    assert.equal(kept.ownerOf(plain.certificate), 'admin');
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, /cannot be read.*"user":"reader"/);
  });

  it('stays in the file through changes of others, and is back when it can be read', async () => {
    const kept = open();
    await kept.remove(({ userName }) => userName === 'admin');
    await kept.add('admin', authority.issue({}).certificate, async () => true);
    await kept.store();
    assert.equal(stored().length, 3);
    assert.equal(open(limits).ownerOf(swollen.certificate), 'reader');
  });

  it('goes with its account, whether an administrator removes that or others did', async () => {
    const { events, access } = service;
    await removeUser(
      { ...access, accountCertificates: open() },
      events.rights,
      undefined,
      'reader',
    );
    assert.deepEqual(namesOf(stored()), ['admin']);
    writeFileSync(path, JSON.stringify({ certificates: [{ userName: 'gone', pem: 'damaged' }] }));
    const left = { certificates: open(), sessions: service.sessions };
    await purgeOrphanedUserData(left, service.accounts);
    assert.deepEqual(stored(), []);
  });

  it('has its connections ended with its account, also where it is taken in between', async () => {
    const kept = open();
    const cut: string[] = [];
    const certificates = {
      settings: { during: (work: (now: object) => unknown) => work({ clientCertificates: {} }) },
      cut: (gone: readonly { pem: string }[]) => cut.push(...gone.map(({ pem }) => pem)),
    } as unknown as ClientCertificates;
    const isGone = ({ userName }: { userName: string }) => userName === 'admin';
    const access = { users: service.accounts, certificates, accountCertificates: kept };
    await forgetCertificates(access, undefined, isGone, () => kept.forget(isGone));
    assert.deepEqual(cut, [plain.pem]);
  });

  it('goes when other users count than before', async () => {
    const kept = open();
    kept.clear();
    await kept.store();
    assert.deepEqual(stored(), []);
  });

  it('opens the service to nobody without a certificate', async () => {
    const certificates = [{ userName: 'reader', pem: swollen.pem }];
    writeFileSync(path, JSON.stringify({ certificates }));
    const client = new MemoryClient();
    client.put(truststore, '1', samplePem);
    const settings = new AccessSettings(join(service.directory, 'of-whole.json'), {} as never);
    const login = { enabled: true, respond: false, mapping: 'Whole' } as const;
    await settings.change(() => ({ clientCertificates: login }));
    const accountCertificates = open();
    const access = new ClientCertificates({
      ...{ client, accountCertificates, log, settings },
      endpoints: { truststore },
      findUser: async () => undefined,
      hostName: () => 'bmc',
      now: Date.now,
      limits: { nameBytes: 1000, chainCertificates: 10, content: usualLimits },
      alwaysRespond: false,
      logins: { login: () => undefined },
    });
    assert.equal(access.responds(), false);
    await accountCertificates.remove(({ userName }) => userName === 'reader');
    assert.equal(access.responds(), true);
  });
});
