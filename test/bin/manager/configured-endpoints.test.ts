import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ConfiguredEndpoints } from '../../../src/bin/manager/configured-endpoints.ts';
import { endpointSettings } from '../../../src/bin/manager/endpoint-settings.ts';
import type { EndpointHost, HostedEndpoint } from '../../../src/dbus/certs/endpoint-host.ts';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import { parseConfiguration } from '../../../src/platform/configuration.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
const accounts = { userId: () => 7, groupId: () => 8 };

/** What a document says of its endpoints. */
function settingsOf(document: object) {
  return endpointSettings(parseConfiguration(JSON.stringify(document), 'of a test'), accounts);
}

describe('the endpoints of a configuration', () => {
  let daemon: PrivateBus;
  let bus: Bus;
  before(async () => {
    daemon = await startPrivateBus();
    bus = await connectBus(daemon.address);
  });
  after(async () => {
    bus.close();
    await daemon.stop();
  });

  /** A host that notes what it is asked, and fails where a test says so. */
  const setUp = () => {
    const asked: string[] = [];
    const fails = { next: false };
    const nameOf = ({ names }: HostedEndpoint) => names.map(({ name }) => name).join('+');
    const host = {
      async add(hosted: readonly HostedEndpoint[]) {
        asked.push(`add ${hosted.map(nameOf).join()}`);
        if (fails.next) throw new Error('the name is taken');
      },
      async remove(hosted: HostedEndpoint) {
        asked.push(`remove ${nameOf(hosted)}`);
      },
    } as unknown as EndpointHost;
    const makeEndpoint = (settings: unknown) => settings as HostedEndpoint;
    const endpoints = new ConfiguredEndpoints({ host, bus, makeEndpoint, log });
    const become = async (document: object) => {
      asked.length = 0;
      const apply = await endpoints.prepare(settingsOf(document));
      await apply();
      return asked.filter((one) => one !== 'add ');
    };
    return { become, asked, fails };
  };

  const a = { type: 'client', name: 'a' };
  const b = { type: 'client', name: 'b' };
  const changes: readonly [string, object, readonly string[]][] = [
    ['nothing', { endpoints: [a, b] }, []],
    ['their order', { endpoints: [b, a] }, []],
    ['an endpoint more', { endpoints: [a, b, { ...a, name: 'c' }] }, ['add c']],
    ['an endpoint less', { endpoints: [b] }, ['remove a']],
    ['a path', { endpoints: [{ ...a, path: '/a' }, b] }, ['remove a', 'add a']],
    [
      'a service to reload',
      { endpoints: [a, { ...b, reload: [{ unit: 'b.service' }] }] },
      ['remove b', 'add b'],
    ],
    ['a second name', { endpoints: [{ ...a, alias: 'old' }, b] }, ['remove a', 'add a+old']],
    [
      'who may change one',
      { endpoints: [{ ...a, access: { users: ['x'] } }, b] },
      ['remove a', 'add a'],
    ],
    [
      'who may change all',
      { endpoints: [a, b], access: { groups: ['x'] } },
      ['remove a', 'remove b', 'add a,b'],
    ],
    [
      'a limit',
      { endpoints: [a, b], limits: { uploadBytes: 2048 } },
      ['remove a', 'remove b', 'add a,b'],
    ],
    ['what is not about endpoints', { endpoints: [a, b], redfish: { port: 1 } }, []],
  ];
  for (const [what, document, expected] of changes) {
    it(`change as little as possible when ${what} changes`, async () => {
      const { become } = setUp();
      await become({ endpoints: [a, b] });
      assert.deepEqual(await become(document), expected);
    });
  }

  const badNames: readonly (readonly [object, RegExp])[] = [
    [
      { type: 'server', name: 's', certificateNames: ['a b'] },
      /certificateNames\/0 is no host name/,
    ],
    [
      { type: 'server', name: 's', certificateNames: ['bmc', 'a@b.example'] },
      /Names\/1 is no host/,
    ],
    [{ type: 'client', name: 'c', certificateNames: ['bmc'] }, /Names is for servers only/],
  ];
  for (const [endpoint, complaint] of badNames) {
    it(`are refused with ${JSON.stringify(endpoint)}`, () => {
      assert.throws(() => settingsOf({ endpoints: [endpoint] }), complaint);
    });
  }

  it('are tried again when they could not be served', async () => {
    const { become, asked, fails } = setUp();
    await become({ endpoints: [a] });
    fails.next = true;
    await assert.rejects(become({ endpoints: [a, b] }), /the name is taken/);
    assert.deepEqual(asked, ['add b', 'remove b']);
    fails.next = false;
    assert.deepEqual(await become({ endpoints: [a, b] }), ['add b']);
  });
});
