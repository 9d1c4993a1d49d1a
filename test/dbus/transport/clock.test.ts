import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type FakeClock, fakeClock } from '../../fakes/fake-clock.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

/** Milliseconds; the look of each minute would find it too. */
const sooner = 30_000;
const expiry = 'xyz.openbmc_project.Certs.Extension.Expiry';

describe('a manager whose clock is set', () => {
  const authority = opensslAuthority();
  const pair = authority.issue({ from: '20260101000000Z', until: '20270101000000Z' });
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let client: BusCaller;
  let clock: FakeClock;

  const dates = () => {
    const text = readFileSync(join(bus.directory, 'https', 'server.pem'), 'utf8');
    return openssl(['x509', '-noout', '-startdate', '-enddate'], text);
  };
  const installClient = async ({ key, pem }: Issued) => {
    const store = await busCaller(bus.address, names.client);
    const install = 'xyz.openbmc_project.Certs.Extension.Upload.Install';
    await store.call(paths.client, install, 'ayss', Buffer.from(key + pem), 'PEM', '');
    store.leave();
  };
  const state = async () => {
    const get = 'org.freedesktop.DBus.Properties.Get';
    const value = await client.call(`${paths.client}/1`, get, 'ss', expiry, 'State');
    return String(Reflect.get(Object(value), 'value'))
      .split('.')
      .at(-1);
  };

  before(async () => {
    bus = await startPrivateBus();
    clock = fakeClock(bus.directory);
    clock.set('1970-01-01 00:10:00');
    manager = await startManager(bus, {}, clock.environment);
    client = await busCaller(bus.address, names.client);
  });
  after(async () => {
    client?.leave();
    await manager?.stop();
    await bus?.stop();
    authority.remove();
  });

  it('has a certificate at 1970, from which it does not go back further', () => {
    assert.equal(
      dates(),
      'notBefore=Jan  1 00:00:00 1970 GMT\nnotAfter=Feb  2 00:00:00 1971 GMT\n',
    );
  });

  it('takes a certificate of today, and says that it is not valid yet', async () => {
    await installClient(pair);
    assert.equal(await state(), 'NotYetValid');
    assert.equal(client.signals('ThresholdReached').length, 0);
  });

  it('has a new certificate within seconds after the clock was set to today', async () => {
    clock.set('2026-06-01 12:00:00');
    await until(
      'it is renewed',
      () => dates().includes('notBefore=Jun  1 11:00:00 2026 GMT'),
      sooner,
    );
    assert.match(dates(), /notAfter=Jul {2}3 11:00:00 2027 GMT/);
    assert.equal(await state(), 'Valid');
  });

  it('tells of the expiry that a jump ahead brings, and again after one back', async () => {
    const told = () => client.signals('ThresholdReached').map(({ body }) => body[0]);
    clock.set('2026-12-20 12:00:00');
    await until('the first', () => told().join() === '14', sooner);
    clock.set('2076-12-20 12:00:00');
    await until('the end', () => told().join() === '14,0', sooner);
    assert.equal(await state(), 'Expired');
    const changes = () =>
      client.signals('PropertiesChanged').filter(({ body }) => body[0] === expiry);
    const before = changes().length;
    clock.set('2026-06-02 12:00:00');
    await until('it is told that it is valid again', () => changes().length > before, sooner);
    assert.equal(await state(), 'Valid');
    clock.set('2026-12-28 12:00:00');
    await until('the next', () => told().join() === '14,0,7', sooner);
  });

  it('keeps the certificate that was installed through all of it', async () => {
    const text = readFileSync(join(bus.directory, 'ldap', 'cert.pem'), 'utf8');
    assert.equal(text, pair.key + pair.pem);
  });
});
