import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { commandOf, familyOf } from '../../fakes/proc.ts';
import { refusal } from '../../fakes/refusal.ts';
import { slowKey } from '../../fakes/slow-key.ts';

const extension = 'xyz.openbmc_project.Certs.Extension';
const root = paths.client;
const certificate = `${root}/1`;
const password = 's3cret!';
/** Takes minutes, and is no key in the end. */
const endless = slowKey(1_000_000_000);

describe('an upload that takes many rounds of key derivation', () => {
  const authority = opensslAuthority();
  const ca = authority.issueCa();
  const [first, second] = [authority.issue({ issuer: ca }), authority.issue({ issuer: ca })];
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let client: BusCaller;

  /** Of openssl, with more rounds than are opened in the manager itself. */
  const container = () => {
    const path = join(bus.directory, 'costly.p12');
    openssl([
      ...['pkcs12', '-export', '-in', first.path, '-inkey', first.keyPath, '-certfile', ca.path],
      ...['-passout', `pass:${password}`, '-iter', '300000', '-out', path],
    ]);
    return readFileSync(path);
  };
  const installed = () => readFileSync(join(bus.directory, 'ldap', 'cert.pem'), 'utf8');
  const install = (content: Buffer, with_ = password) =>
    client.call(root, `${extension}.Upload.Install`, 'ayss', content, 'PKCS12', with_);
  const clear = () => client.call(root, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll', '');
  const openers = () =>
    familyOf(manager.pid).filter((pid) => commandOf(pid).includes('content-opener'));
  const start = async (limits: object) => {
    manager = await startManager(bus, { limits });
    client = await busCaller(bus.address, names.client);
  };
  const stop = async () => {
    client?.leave();
    return manager?.stop();
  };

  before(async () => {
    bus = await startPrivateBus();
    await start({ openingSeconds: 300 });
  });
  after(async () => {
    await stop();
    await bus?.stop();
    authority.remove();
  });

  it('is made like any other, without a word of the password', async () => {
    assert.equal(await install(container()), certificate);
    assert.equal(installed(), first.key + first.pem + ca.pem);
    await clear();
    await assert.rejects(install(container(), 'wr0ng!'), refusal('password-wrong'));
    assert.doesNotMatch(manager.output(), /s3cret|wr0ng/);
    await until('its process has ended', () => openers().length === 0);
  });

  it('comes from a file that the caller names, too', async () => {
    const path = join(bus.directory, 'nameless.p12');
    openssl([
      ...['pkcs12', '-export', '-in', first.path, '-inkey', first.keyPath],
      ...['-passout', 'pass:', '-iter', '20000', '-out', path],
    ]);
    writeFileSync(path, readFileSync(path).toString('base64'));
    const method = 'xyz.openbmc_project.Certs.Install.Install';
    assert.equal(await client.call(root, method, 's', path), certificate);
    assert.equal(installed(), first.key + first.pem);
    await clear();
  });

  it('has its turn before the changes of its endpoint that come while it is opened', async () => {
    const replace = [certificate, `${extension}.Replace.Replace`, 'ayss'] as const;
    const quick = Buffer.from(second.key + second.pem);
    await install(quick);
    const ended: string[] = [];
    await Promise.all([
      client.call(...replace, container(), 'PKCS12', password).then(() => ended.push('costly')),
      client.call(...replace, quick, 'PEM', '').then(() => ended.push('quick')),
    ]);
    assert.deepEqual(ended, ['costly', 'quick']);
    assert.equal(installed(), second.key + second.pem);
    await clear();
  });

  it('keeps the changes of others waiting nowhere else, and ends with the manager', async () => {
    await stop();
    await start({ openingSeconds: 300, content: { derivationRounds: 1_000_000_000 } });
    const content = Buffer.concat([endless, Buffer.from(first.pem)]);
    const unanswered = install(content).then(
      () => 'made',
      () => 'refused',
    );
    const opener = await until('it is being opened', () => openers()[0]);
    const other = await busCaller(bus.address, names.authority);
    const added = await other.call(
      paths.authority,
      `${extension}.Upload.Install`,
      'ayss',
      ...[Buffer.from(ca.pem), 'PEM', ''],
    );
    assert.equal(added, `${paths.authority}/1`);
    other.leave();
    assert.deepEqual(openers(), [opener]);
    assert.equal((await manager.stop()).status, 0);
    assert.equal(await unanswered, 'refused');
    await until('its process has ended', () => !commandOf(opener).includes('content-opener'));
  });

  it('is refused when its time is over, and changes nothing', async () => {
    const content = { derivationRounds: 1_000_000_000 };
    await start({ openingSeconds: 1, content });
    const refused = refusal('key-derivation-limit', /within 1 s/);
    await assert.rejects(install(Buffer.concat([endless, Buffer.from(first.pem)])), refused);
    assert.deepEqual(openers(), []);
    await assert.rejects(async () => installed(), { code: 'ENOENT' });
  });

  it('is refused when all of its keys together take more rounds than the limit', async () => {
    await stop();
    await start({ content: { derivationRounds: 800_000 } });
    const words = /more than 800000 rounds/;
    await assert.rejects(install(container()), refusal('key-derivation-limit', words));
  });
});
