import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BusEdgeEndpoints } from '../../src/dbus/client/bus-edge-endpoints.ts';
import { pemContent } from '../../src/x509/containers.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { freePort } from '../fakes/free-port.ts';
import { type ManagerProcess, startManager } from '../fakes/manager-process.ts';
import { pidFileOf, startNginx } from '../fakes/nginx.ts';
import { caExtensions, type Issued, opensslAuthority } from '../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';
import { authority } from '../fakes/run-time-device.ts';
import { type Background, run, until } from './commands.ts';

const tools = opensslAuthority();
const long = { until: '20991231000000Z' };
const caOf = (subject: string) => tools.issue({ subject, extensions: caExtensions, ...long });
const [first, second] = [caOf('/CN=first'), caOf('/CN=second')];
const clientOf = (issuer: Issued) => tools.issue({ issuer, subject: '/CN=client', ...long });
const clients = { first: clientOf(first), second: clientOf(second) };
const server = tools.issue({ subject: '/CN=nginx', ...long });
const log = { debug() {}, info() {}, warn() {}, error() {} };
const group = authority('group');

/** What becomes of the clients of an nginx whose CAs are those of an endpoint of run time. */
describe('an nginx that reads the CAs of an authority', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let nginx: Background;
  let edge: BusEdgeEndpoints;
  let port: number;
  before(async () => {
    bus = await startPrivateBus();
    port = await freePort();
    const file = join(bus.directory, 'authorities.pem');
    manager = await startManager(bus, {
      services: [
        {
          ...{ name: 'nginx', file, reload: [{ pidFile: pidFileOf(bus.directory) }] },
          endpoint: { type: 'authority', id: group.name },
        },
      ],
    });
    nginx = startNginx(
      bus.directory,
      `server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${server.path};
        ssl_certificate_key ${server.keyPath};
        ssl_client_certificate ${file};
        ssl_verify_client on;
        return 200 "let in";
      }`,
    );
    edge = new BusEdgeEndpoints({
      ...{ busAddress: bus.address, requestTimeout: 60_000, log },
      ...{ uploadBytes: 1 << 20, content: usualLimits },
    });
    await edge.start();
    await until('the manager is found', () => edge.isAvailable);
  });
  after(async () => {
    edge?.close();
    await nginx?.stop('SIGTERM');
    await manager?.stop();
    await bus?.stop();
    tools.remove();
  });

  /** `undefined` while it does not answer. */
  const statusFor = async (client: Issued | undefined) => {
    const shown = client ? ['--cert', client.path, '--key', client.keyPath] : [];
    const options = [
      '--silent',
      '--insecure',
      '--output',
      '/dev/null',
      '--write-out',
      '%{http_code}',
    ];
    const { stdout } = await run('curl', [...options, ...shown, `https://127.0.0.1:${port}/`]);
    return stdout === '000' ? undefined : Number(stdout);
  };
  /** nginx goes on with the old CAs until it has read the file again. */
  const becomes = (wanted: Readonly<Record<keyof typeof clients, 200 | 400>>) =>
    until(JSON.stringify(wanted), async () => {
      const found = [await statusFor(clients.first), await statusFor(clients.second)];
      return found[0] === wanted.first && found[1] === wanted.second;
    });
  const put = async (create: boolean, ...cas: readonly Issued[]) => {
    const content = pemContent(cas.map(({ pem }) => pem).join(''));
    const replacement = await edge.stage([{ endpoint: group, create, content }]);
    await edge.activate(replacement);
    await edge.commit(replacement);
  };

  it('begins without the authority, and lets no client in', async () => {
    await becomes({ first: 400, second: 400 });
    assert.equal(await statusFor(undefined), 400);
  });

  it('lets clients of the CAs in, and of those alone', async () => {
    await put(true, first, second);
    await becomes({ first: 200, second: 200 });
    await put(false, second);
    await becomes({ first: 400, second: 200 });
  });

  it('lets no client in when the authority has no CA left, and when it is gone', async () => {
    await edge.clear(group);
    await becomes({ first: 400, second: 400 });
    await put(false, first);
    await becomes({ first: 200, second: 400 });
    await edge.remove(group);
    await becomes({ first: 400, second: 400 });
    assert.doesNotMatch(readFileSync(join(bus.directory, 'nginx.access'), 'utf8'), / 500 /);
  });
});
