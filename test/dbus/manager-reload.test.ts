import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { csrArguments } from '../../src/dbus/certs/certs-interfaces.ts';
import { signatureOf } from '../../src/dbus/server/interface.ts';
import { connectBus } from '../../src/dbus/transport/bus.ts';
import { publicKeyInfo } from '../../src/x509/keys.ts';
import { until } from '../e2e/commands.ts';
import { busCaller } from '../fakes/bus-caller.ts';
import { type BusTools, busTools } from '../fakes/bus-tools.ts';
import { requestName } from '../fakes/fake-systemd.ts';
import {
  endpoints,
  type ManagerProcess,
  names,
  paths,
  runManager,
  startManager,
  untilReady,
  writeConfiguration,
} from '../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';
import { quickCertificate } from '../fakes/quick-certificate.ts';

/** All that an operator writes for a further endpoint. */
const gnmi = { type: 'server', name: 'gnmi' };
const gnmiFile = 'endpoints/server-gnmi/server.pem';
const gnmiName = 'xyz.openbmc_project.Certs.Manager.Server.Gnmi';
const gnmiPath = '/xyz/openbmc_project/certs/server/gnmi';
const managed = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
const deleteAll = 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll';
const request = 'xyz.openbmc_project.Certs.Extension.Request';
const installAll = 'xyz.openbmc_project.Certs.InstallAll.InstallAll';

function csrBody(values: Readonly<Record<string, unknown>>): readonly unknown[] {
  const empty = { s: '', x: 0n, as: [] };
  return Object.entries(csrArguments).map(([name, type]) => values[name] ?? empty[type]);
}

describe('a manager that reads its configuration again', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  const tools = (destination: string): BusTools => busTools({ address: bus.address, destination });
  const ownerOf = async (name: string) => {
    const driver = tools('org.freedesktop.DBus');
    const answer = await driver
      .call('/', 'org.freedesktop.DBus.GetNameOwner', 's', name)
      .catch(() => undefined);
    return answer && String(answer[0]);
  };
  const owners = () => Promise.all(Object.values(names).map(ownerOf));
  const lines = (text: string) => manager.output().split(text).length - 1;
  /** Has the manager read its configuration, and waits for what the log says of that. */
  const reload = async (said: string) => {
    const before = lines(said);
    process.kill(manager.pid, 'SIGHUP');
    await until(said, () => lines(said) > before);
  };
  const edit = async (changes: object) => {
    writeConfiguration(bus, changes);
    await reload('configuration read again');
  };
  const fingerprint = async (name: string, path: string) => {
    const text = JSON.stringify(await tools(name).call(path, managed));
    return /-----BEGIN CERTIFICATE-----[^-]*/.exec(text)?.[0];
  };

  beforeEach(async () => {
    bus = await startPrivateBus();
    manager = await startManager(bus);
  });
  afterEach(async () => {
    await manager?.stop();
    await bus?.stop();
  });

  it('serves a further endpoint at once, and the others as before', async () => {
    const before = await owners();
    await edit({ endpoints: [...endpoints, gnmi] });
    const pem = await fingerprint(gnmiName, gnmiPath);
    assert.match(pem ?? '', /BEGIN CERTIFICATE/);
    assert.deepEqual(await owners(), before);
  });

  it('takes an endpoint away, keeps its files, and shows them again when it is back', async () => {
    await edit({ endpoints: [...endpoints, gnmi] });
    const pem = await fingerprint(gnmiName, gnmiPath);
    await edit({});
    assert.equal(await ownerOf(gnmiName), undefined);
    assert.ok(existsSync(join(bus.directory, gnmiFile)));
    await edit({ endpoints: [...endpoints, gnmi] });
    assert.equal(await fingerprint(gnmiName, gnmiPath), pem);
  });

  it('lets another manager have an endpoint that it gave up', async () => {
    await edit({ endpoints: [...endpoints, gnmi] });
    await edit({});
    const path = join(bus.directory, gnmiFile);
    const args = ['--type=server', '--endpoint=gnmi', `--path=${path}`];
    const environment = { DBUS_SYSTEM_BUS_ADDRESS: bus.address };
    const other = await untilReady(runManager(args, environment));
    assert.notEqual(await ownerOf(gnmiName), undefined);
    // Which cannot be taken back while the other has it
    writeConfiguration(bus, { endpoints: [...endpoints, gnmi] });
    await reload('configuration refused, the old one stays');
    assert.match(manager.output(), /refused.*Server\.Gnmi\.Files belongs to another process/);
    await other.stop();
    await reload('configuration read again');
    assert.notEqual(await ownerOf(gnmiName), undefined);
  });

  it('moves an endpoint to another file, and gives its old file to another endpoint', async () => {
    await edit({ endpoints: [...endpoints, gnmi] });
    const pem = await fingerprint(gnmiName, gnmiPath);
    const other = { ...gnmi, name: 'other', path: gnmiFile };
    const moved = { ...gnmi, path: 'moved/server.pem' };
    await edit({ endpoints: [...endpoints, other, moved] });
    const otherName = 'xyz.openbmc_project.Certs.Manager.Server.Other';
    assert.equal(await fingerprint(otherName, '/xyz/openbmc_project/certs/server/other'), pem);
    assert.notEqual(await fingerprint(gnmiName, gnmiPath), pem);
  });

  const refused: readonly [string, string | object, RegExp][] = [
    ['is no JSON', '{\n  "endpoints": [],\n}', /not JSON from line 3, column 1 on/],
    [
      'has an unknown member',
      '{\n  "limit": {}\n}',
      /\/limit \(line 2, column 3\) is not known \(did you mean limits\?\)/,
    ],
    [
      'has two endpoints of one name',
      { endpoints: [...endpoints, endpoints[0]] },
      /\/endpoints\/3 \(line \d+, column 5\) and \/endpoints\/0 share server\/https/,
    ],
    [
      'names a group that does not exist',
      { endpoints: [{ ...gnmi, group: 'no-such-group' }] },
      /\/endpoints\/0\/group \(line \d+, column 7\) names the group no-such-group/,
    ],
    [
      'names a user who does not exist',
      { access: { users: ['no-such-user'] } },
      /\/access\/users\/0 \(line \d+, column \d+\) names the user no-such-user/,
    ],
    [
      'maps certificates to no user',
      { clientIdentities: { defaultIdentity: { mapType: 'specified' } } },
      /\/clientIdentities\/defaultIdentity\/name \(line \d+, column \d+\) is required/,
    ],
  ];
  for (const [what, text, says] of refused) {
    it(`changes nothing for a file that ${what}, and says where`, async () => {
      const file = join(bus.directory, 'manager.json');
      if (typeof text === 'string') writeFileSync(file, text);
      else writeConfiguration(bus, text);
      const before = await owners();
      const read = lines('configuration read again');
      await reload('configuration refused, the old one stays');
      assert.match(manager.output(), says);
      assert.ok(manager.output().includes(`file=${file}`));
      assert.deepEqual(await owners(), before);
      assert.equal(lines('configuration read again'), read);
      const { ended } = runManager(['--config', file, '--check']);
      assert.deepEqual(await ended, { status: 1, signal: null });
    });
  }

  it('changes nothing for a file that is gone', async () => {
    const before = await owners();
    rmSync(join(bus.directory, 'manager.json'));
    await reload('configuration refused, the old one stays');
    assert.deepEqual(await owners(), before);
  });

  it('finds a good file good without a manager', async () => {
    const file = writeConfiguration(bus, { endpoints: [gnmi] });
    const { ended } = runManager(['--config', file, '--check']);
    assert.deepEqual(await ended, { status: 0, signal: null });
  });

  it('names the settings that count after a restart, and counts the others', async () => {
    const runtimeDirectory = join(bus.directory, 'elsewhere');
    const signing = { enabled: true };
    await edit({ runtimeDirectory, signing, limits: { authorities: 1 } });
    assert.match(
      manager.output(),
      /settings count after a restart settings="\/runtimeDirectory \/signing\/enabled"/,
    );
    assert.equal(await ownerOf('xyz.openbmc_project.Certs.ca.authority.Manager'), undefined);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const info = publicKeyInfo(publicKey);
    const ca = (name: string) =>
      quickCertificate({ subject: name, info, issuer: name, issuerKey: privateKey, isCa: true });
    const file = join(bus.directory, 'bundle.pem');
    writeFileSync(file, ca('one') + ca('two'));
    const refusal = await tools(names.authority).refusal(
      paths.authority,
      installAll,
      `string:${file}`,
    );
    assert.match(refusal, /limit of 1$/);
    await edit({});
    await tools(names.authority).call(paths.authority, installAll, 's', file);
    await tools(names.authority).call(paths.authority, deleteAll);
  });

  it('does nothing for a file that is the same', async () => {
    const before = lines('configuration read again');
    await reload('reload asked for');
    await edit({ endpoints: [...endpoints, gnmi] });
    assert.equal(lines('configuration read again'), before + 1);
  });

  it('lets a CSR be made whose endpoint is to leave', async () => {
    await edit({ endpoints: [...endpoints, gnmi] });
    const caller = await busCaller(bus.address, gnmiName);
    const made = caller.bus.call({
      destination: gnmiName,
      path: gnmiPath,
      interface: request,
      member: 'Generate',
      signature: signatureOf(csrArguments),
      body: csrBody({ CommonName: 'bmc', KeyPairAlgorithm: 'RSA', KeyBitLength: 4096n }),
      timeout: 300_000,
    });
    await until(
      'it is being made',
      () =>
        existsSync(join(bus.directory, `${gnmiFile}.requests`)) &&
        readdirSync(join(bus.directory, `${gnmiFile}.requests`)).length > 0,
    );
    writeConfiguration(bus);
    process.kill(manager.pid, 'SIGHUP');
    assert.match(String((await made)[0]), /BEGIN CERTIFICATE REQUEST/);
    await until('it has left', async () => !(await ownerOf(gnmiName)));
    const left = readdirSync(join(bus.directory, `${gnmiFile}.requests`));
    assert.equal(left.filter((name) => /^[0-9a-f]{64}$/.test(name)).length, 1);
    caller.leave();
  });

  it('undoes a staged replacement of an endpoint that leaves', async () => {
    await edit({ endpoints: [...endpoints, gnmi] });
    const before = readFileSync(join(bus.directory, gnmiFile), 'utf8');
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const info = publicKeyInfo(publicKey);
    const pem = quickCertificate({
      ...{ subject: 'next', info, issuer: 'next', issuerKey: privateKey, isCa: false },
    });
    const pair = Buffer.from(`${privateKey.export({ type: 'pkcs8', format: 'pem' })}${pem}`);
    const owner = await busCaller(bus.address, gnmiName);
    const replacement = 'xyz.openbmc_project.Certs.Extension.Replacement';
    const none = Buffer.alloc(0);
    const staged = [pair, 'PEM', '', '', none, 'PEM', 0];
    const id = await owner.call(gnmiPath, `${replacement}.Stage`, 'aysssaysu', ...staged);
    await owner.call(gnmiPath, `${replacement}.Activate`, 'su', id, 0);
    assert.notEqual(readFileSync(join(bus.directory, gnmiFile), 'utf8'), before);
    await edit({});
    assert.equal(readFileSync(join(bus.directory, gnmiFile), 'utf8'), before);
    assert.match(manager.output(), /staged replacement undone .*reason="its endpoint leaves"/);
    owner.leave();
  });

  it('serves the others without a pause through a storm of signals and edits', async () => {
    const caller = await busCaller(bus.address, names.server);
    let answers = 0;
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        await caller.call(paths.server, managed, '');
        answers += 1;
      }
    })();
    for (let at = 0; at < 60; at += 1) {
      writeConfiguration(bus, at % 2 === 0 ? { endpoints: [...endpoints, gnmi] } : {});
      process.kill(manager.pid, 'SIGHUP');
      const seen = answers;
      await until('an answer', () => answers > seen);
    }
    // What the log says next may still be of an edit before this one
    writeConfiguration(bus, { endpoints: [{ type: 'server', name: 'last' }, ...endpoints] });
    process.kill(manager.pid, 'SIGHUP');
    const lastName = 'xyz.openbmc_project.Certs.Manager.Server.Last';
    await until('the endpoint of the last edit', () => ownerOf(lastName));
    await until('the end of the other', async () => (await ownerOf(gnmiName)) === undefined);
    isOver = true;
    await asking;
    caller.leave();
  });

  it('refuses an endpoint whose name another process has', async () => {
    const other = await connectBus(bus.address);
    await requestName(other, gnmiName);
    writeConfiguration(bus, { endpoints: [...endpoints, gnmi] });
    await reload('configuration refused, the old one stays');
    assert.match(manager.output(), /Server\.Gnmi belongs to another process/);
    other.close();
    await reload('configuration read again');
  });
});
