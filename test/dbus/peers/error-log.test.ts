import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fingerprintOf } from '../../e2e/certificate-authority.ts';
import { until } from '../../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/stack.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { type FakeErrorLog, startFakeErrorLog } from '../../fakes/error-log.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const invalid = 'xyz.openbmc_project.Certs.Error.InvalidCertificate';
const error = 'xyz.openbmc_project.Logging.Entry.Level.Error';

describe('phosphor-logging', () => {
  const tools = opensslAuthority();
  const expired = tools.issue({ subject: '/CN=expired', until: '20200102000000Z' });
  const ca = tools.issueCa({ subject: '/CN=Test CA' });
  let bus: PrivateBus;
  let directory: string;
  let errors: FakeErrorLog | undefined;
  let manager: ManagerProcess | undefined;
  let authority: BusTools;

  before(async () => {
    bus = await startPrivateBus();
    authority = busTools({ address: bus.address, destination: names.authority });
  });
  after(async () => {
    await bus?.stop();
    tools.remove();
  });
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(async () => {
    errors?.leave();
    await manager?.stop();
    removeDirectory(directory);
  });

  const start = async (changes: object = {}) => {
    manager = await startManager({ address: bus.address, directory }, changes);
  };
  const restart = async () => {
    await manager?.stop();
    await start();
  };
  const put = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text, { mode: 0o600 });
  };
  const putBoth = () => {
    put('https/server.pem', 'no certificate\n');
    put('ldap/cert.pem', `${readFileSync(expired.keyPath)}${expired.pem}`);
  };
  const untilThere = async (count: number) => {
    await until(`${count} entries`, async () => errors?.entries.length === count);
    return errors?.entries ?? [];
  };
  const told = () =>
    (errors?.entries ?? []).map(([, , { ENDPOINT, REASON }]) => `${ENDPOINT} ${REASON}`);

  it('has an entry of each certificate that has expired or is damaged, in the words of upstream', async () => {
    errors = await startFakeErrorLog(bus.address);
    putBoth();
    await start();
    const entries = [...(await untilThere(2))].sort(([, , a], [, , b]) =>
      String(a.PATH).localeCompare(String(b.PATH)),
    );
    const damaged = entries[0]?.[2].REASON ?? '';
    assert.match(damaged, /^Existing certificate file is corrupted: .*certificate/);
    const PATH = join(directory, 'https/server.pem');
    assert.deepEqual(entries, [
      [invalid, error, { ENDPOINT: 'server/https', REASON: damaged, PATH }],
      [
        invalid,
        error,
        {
          ENDPOINT: 'client/ldap',
          REASON: 'Expired Certificate',
          PATH: join(directory, 'ldap/cert.pem'),
          SHA256: await fingerprintOf(expired.pem),
          NOT_AFTER: '2020-01-02T00:00:00.000Z',
        },
      ],
    ]);
  });

  it('has no second one until the next boot, however often the manager starts', async () => {
    errors = await startFakeErrorLog(bus.address);
    putBoth();
    await start();
    await untilThere(2);
    await restart();
    await authority.call(
      paths.authority,
      'xyz.openbmc_project.Certs.Install.Install',
      's',
      ca.path,
    );
    await manager?.stop();
    put('authority/1.pem', 'damaged');
    await start();
    // Entries are made in the order of the endpoints, and this is the last one
    await untilThere(3);
    assert.match(told()[2] ?? '', /^authority\/truststore Existing .* corrupted/);
    removeDirectory(join(directory, 'run', 'error-entries'));
    put('https/server.pem', 'no certificate\n');
    await restart();
    await until('it is told again', async () => (errors?.entries.length ?? 0) > 3);
  });

  it('has one of a file that is damaged while the manager runs', async () => {
    errors = await startFakeErrorLog(bus.address);
    await start();
    put('https/server.pem', 'no certificate\n');
    await untilThere(1);
    assert.match(told()[0] ?? '', /^server\/https Existing .* corrupted/);
  });

  it('gets what happened before it came', async () => {
    putBoth();
    await start();
    errors = await startFakeErrorLog(bus.address);
    await untilThere(2);
    assert.doesNotMatch(manager?.output() ?? '', /phosphor-logging/);
  });

  it('gets no more entries than limits.errorEntries', async () => {
    errors = await startFakeErrorLog(bus.address);
    putBoth();
    await start({ limits: { errorEntries: 1 } });
    await untilThere(1);
    // A further one would be on its way before this is answered
    for (let at = 0; at < 5; at += 1)
      await authority.call(paths.authority, 'org.freedesktop.DBus.Peer.Ping');
    assert.equal(errors.entries.length, 1);
  });

  it('that refuses an entry has the manager log that, and go on', async () => {
    errors = await startFakeErrorLog(bus.address);
    errors.refuse();
    putBoth();
    await start();
    await until('both were refused', async () => {
      return (manager?.output().split('no entry made in phosphor-logging').length ?? 0) > 2;
    });
    await authority.call(paths.authority, 'org.freedesktop.DBus.Peer.Ping');
  });
});
