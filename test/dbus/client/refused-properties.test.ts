import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { busName } from '../../../src/dbus/certs/endpoint-names.ts';
import { BusCertificateClient } from '../../../src/dbus/client/bus-certificate-client.ts';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import { requestName } from '../../../src/dbus/transport/bus-name.ts';
import { until } from '../../e2e/commands.ts';
import { startPrivateBus } from '../../fakes/private-bus.ts';

const endpoint = { type: 'client', name: 'ldap' } as const;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('a manager whose library lists no properties of all interfaces', () => {
  // sd-bus, dbus-next and GDBus, each in its own words
  for (const name of ['UnknownInterface', 'NotSupported', 'InvalidArgs']) {
    it(`is one without interfaces of ours where it answers ${name}`, async () => {
      const bus = await startPrivateBus();
      const manager = await connectBus(bus.address);
      manager.handleCalls((call) => {
        if (call.member === 'GetManagedObjects') call.answer('a{oa{sa{sv}}}', [{}]);
        else call.fail({ name: `org.freedesktop.DBus.Error.${name}`, text: 'no' });
        return undefined;
      });
      await requestName(manager, busName(endpoint));
      const client = new BusCertificateClient({
        ...{ busAddress: bus.address, requestTimeout: 600_000, log },
      });
      try {
        await client.start();
        await until('the endpoint is there', () => client.isAvailable(endpoint));
        assert.ok(client.upstreamAt(endpoint));
      } finally {
        client.close();
        manager.close();
        await bus.stop();
      }
    });
  }
});
