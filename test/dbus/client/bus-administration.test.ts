import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { busAdministration } from '../../../src/dbus/client/bus-administration.ts';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import type { WatchedAdministration } from '../../../src/manager/administration.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { until } from '../../e2e/commands.ts';
import { endpoints, type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const https = { type: 'server', name: 'https' } as const;
const truststore = { type: 'authority', name: 'truststore' } as const;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('administration over the bus', () => {
  const authority = opensslAuthority();
  const ca = authority.issueCa({ subject: '/CN=Root' });
  const { key, pem } = authority.issue({ issuer: ca });
  const content = pemContent(key + pem);
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let client: BusCertificateClient;
  let administration: WatchedAdministration;

  before(async () => {
    bus = await startPrivateBus();
    const [server, ...others] = endpoints;
    const reload = [{ pidFile: '/nonexistent.pid' }];
    manager = await startManager(bus, { endpoints: [{ ...server, reload }, ...others] });
    client = new BusCertificateClient({ busAddress: bus.address, requestTimeout: 30_000, log });
    await client.start();
    administration = busAdministration(client);
  });
  after(async () => {
    client?.close();
    await manager?.stop();
    await bus?.stop();
    authority.remove();
  });
  const replacement = (endpoint: typeof https | typeof truststore = https) =>
    administration.status(endpoint)?.replacement;
  afterEach(async () => {
    if (replacement()?.id !== undefined) await administration.rollback(https);
  });

  it('has the state of a replacement at all its endpoints as soon as the reply is there', async () => {
    assert.deepEqual(replacement(), { state: 'None', deadline: undefined });
    const bundle = pemContent(ca.pem);
    const staged = { content, truststore: { endpoint: truststore, bundle }, seconds: 300 };
    const id = await administration.stage(https, staged);
    for (const endpoint of [https, truststore]) {
      const { deadline, ...others } = replacement(endpoint) ?? {};
      assert.deepEqual(others, { state: 'Staged', id });
      assert.ok(deadline && deadline.getTime() > Date.now());
    }
    // Any endpoint of the manager knows the name
    await administration.activate(truststore, 300, id);
    assert.equal(replacement()?.state, 'Active');
    await administration.commit(truststore, id);
    assert.deepEqual(replacement(), { state: 'None', deadline: undefined });
    assert.equal(client.get(https, '1').certificate.pem, pem);
  });

  it('sees that the time of a replacement is up', async () => {
    await administration.stage(https, { content, seconds: 5 });
    await until('it is over', () => replacement()?.state === 'None');
  });

  it('waits for requests no longer than it is told to', async () => {
    manager.stop('SIGSTOP');
    await assert.rejects(client.outstanding(https, 50), { code: 'no-answer' });
    manager.stop('SIGCONT');
    assert.deepEqual(await client.outstanding(https), []);
  });

  it('has the outcome of a reload as soon as the reply is there', async () => {
    await administration.reload(https);
    const [service] = administration.status(https)?.services ?? [];
    assert.equal(service?.outcome, 'NotRunning');
    assert.ok(service.at instanceof Date);
    assert.deepEqual(await administration.services(https), [service]);
    assert.deepEqual(await administration.services(truststore), []);
  });
});
