import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { makeSample, startScriptedManager } from '../../fakes/scripted-manager.ts';

const endpoint = { type: 'client', name: 'ldap' } as const;
const path = '/xyz/openbmc_project/certs/client/ldap/1';
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('the answer to a change that another one undoes at once', () => {
  const sample = makeSample('first.example.com');
  const other = makeSample('second.example.com');
  let bus: PrivateBus;
  let client: BusCertificateClient;

  before(async () => {
    bus = await startPrivateBus();
    await startScriptedManager(bus.address, endpoint, {}, (manager, call, reply) => {
      const { certificates } = manager;
      if (call.member === 'Install') {
        certificates.set('1', [sample]);
        manager.added('1');
        call.answer('s', [path]);
      } else if (call.member === 'Replace') {
        certificates.set('1', [sample]);
        manager.added('1');
        certificates.set('1', [other]);
        manager.changed('1');
        call.answer('', []);
      } else return reply();
      // In the same piece as the reply, so that the client reads them together
      manager.removed('1');
      certificates.delete('1');
    });
    client = new BusCertificateClient({ busAddress: bus.address, requestTimeout: 5000, log });
    await client.start();
    await until('the endpoint is there', () => client.isAvailable(endpoint));
  });
  after(async () => {
    client?.close();
    await bus?.stop();
  });

  // What comes in one piece is up to the system: of several tries some do
  const tries = Array.from({ length: 10 }, (_, at) => at);

  it('is the certificate that was installed', async () => {
    for (const _ of tries) {
      const { id, certificate } = await client.install(endpoint, pemContent(sample));
      assert.deepEqual([id, certificate.pem], ['1', sample]);
    }
  });

  it('is the certificate that took the place of the former one', async () => {
    for (const _ of tries) {
      const { id, certificate } = await client.replace(endpoint, '1', pemContent(other));
      assert.deepEqual([id, certificate.pem], ['1', other]);
    }
  });
});
