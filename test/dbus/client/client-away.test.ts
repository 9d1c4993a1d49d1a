import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { makeAuthority } from '../../e2e/certificate-authority.ts';
import { until } from '../../e2e/commands.ts';
import { type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const truststore = { type: 'authority', name: 'truststore' } as const;
const https = { type: 'server', name: 'https' } as const;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('a client whose manager or bus goes away', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess | undefined;
  let client: BusCertificateClient;
  let list: readonly string[];

  const pems = () =>
    client.list(truststore).map(({ id, certificate }) => `${id} ${certificate.pem}`);
  const isBack = () =>
    until('everything is back', () => client.isAvailable(truststore) && client.isAvailable(https));
  const allCallsFail = async () => {
    assert.throws(() => client.list(truststore), { code: 'unavailable' });
    assert.throws(() => client.get(truststore, '1'), { code: 'unavailable' });
    assert.deepEqual(client.endpoints(), []);
    await assert.rejects(client.install(truststore, pemContent('x')), { code: 'unavailable' });
    await assert.rejects(client.replace(truststore, '1', pemContent('x')), { code: 'unavailable' });
    await assert.rejects(client.delete(truststore, '1'), { code: 'unavailable' });
  };

  before(async () => {
    bus = await startPrivateBus();
    client = new BusCertificateClient({
      busAddress: bus.address,
      requestTimeout: 30_000,
      log,
    });
  });
  after(async () => {
    client?.close();
    await manager?.stop('SIGKILL');
    await bus?.stop();
  });

  it('starts without a manager and says so', async () => {
    await client.start();
    await allCallsFail();
  });

  it('finds a manager that comes later', async () => {
    manager = await startManager(bus);
    await isBack();
    const authorities = ['A', 'B', 'C'].map((name) => makeAuthority(bus.directory, name));
    for (const { pem } of await Promise.all(authorities))
      await client.install(truststore, pemContent(pem));
    list = pems();
    assert.equal(list.length, 3);
  });

  it('is without a manager that was killed, and has the same list when it is back', async () => {
    await manager?.stop('SIGKILL');
    await until(
      'the loss is seen',
      () => !client.isAvailable(https) && !client.isAvailable(truststore),
    );
    await until('all of it is gone', () => client.endpoints().length === 0);
    await allCallsFail();
    manager = await startManager(bus);
    await isBack();
    assert.deepEqual(pems(), list);
  });

  it('follows the new manager as it did the old one', async () => {
    await client.delete(truststore, '3');
    assert.deepEqual(pems(), list.slice(0, 2));
  });

  it('connects again when the bus is back, and has the same list', async () => {
    await bus.kill();
    await until('the loss is seen', () => client.endpoints().length === 0);
    await allCallsFail();
    await manager?.ended;
    await bus.start();
    manager = await startManager(bus);
    await isBack();
    assert.deepEqual(pems(), list.slice(0, 2));
  });

  it('can begin before there is a bus', async () => {
    await manager?.stop();
    await bus.kill();
    const early = new BusCertificateClient({
      busAddress: bus.address,
      requestTimeout: 30_000,
      log,
    });
    try {
      await early.start();
      assert.throws(() => early.list(https), { code: 'unavailable' });
      await bus.start();
      manager = await startManager(bus);
      await until('it is connected', () => early.isAvailable(https));
      assert.equal(early.list(https).length, 1);
    } finally {
      early.close();
    }
  });
});
