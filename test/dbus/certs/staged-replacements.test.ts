import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { must, until } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const replacement = 'xyz.openbmc_project.Certs.Extension.Replacement';
const none = Buffer.alloc(0);
const stageSignature = 'aysssaysu';

describe('a staged replacement on the bus', () => {
  const authority = opensslAuthority();
  const ca = authority.issueCa({ subject: '/CN=New CA' });
  const oldCa = authority.issueCa({ subject: '/CN=Old CA' });
  const old = authority.issue({ issuer: oldCa, subject: '/CN=old' });
  const next = authority.issue({ issuer: ca, subject: '/CN=next' });
  const pairOf = ({ key, pem }: Issued) => Buffer.from(key + pem);
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let tools: BusTools;
  let owner: BusCaller;

  const file = () => readFileSync(join(bus.directory, 'https', 'server.pem'), 'utf8');
  const subject = () => openssl(['x509', '-noout', '-subject'], file()).trim();
  const state = async () => {
    const args = ['get-property', names.server, paths.server, replacement, 'State'];
    const text = await tools.busctl(...args);
    return /State\.(\w+)/.exec(text)?.[1];
  };
  const stage = (seconds = 0, certificate = pairOf(next), bundle = Buffer.from(ca.pem)) => {
    const where = bundle.length > 0 ? paths.authority : '';
    const body = [certificate, 'PEM', '', where, bundle, 'PEM', seconds];
    return owner.call(paths.server, `${replacement}.Stage`, stageSignature, ...body);
  };
  const act = (what: string, id: unknown) =>
    what === 'Activate'
      ? owner.call(paths.server, `${replacement}.Activate`, 'su', id, 0)
      : owner.call(paths.server, `${replacement}.${what}`, 's', id);
  /** @throws when the truststore does not have the CA of a certificate */
  const trusts = async ({ path }: Issued) => {
    const args = ['-CApath', join(bus.directory, 'authority'), path];
    await must('openssl', [
      'verify',
      '-no-CAfile',
      '-no-CAstore',
      '-attime',
      '1780000000',
      ...args,
    ]);
  };

  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager(bus);
    tools = busTools({ address: bus.address, destination: names.server });
  });
  after(async () => {
    await manager?.stop();
    await bus?.stop();
    authority.remove();
  });
  beforeEach(async () => {
    owner = await busCaller(bus.address, names.server);
    const content = 'xyz.openbmc_project.Certs.Extension.Replace.Replace';
    await owner.call(`${paths.server}/1`, content, 'ayss', pairOf(old), 'PEM', '');
    const store = await busCaller(bus.address, names.authority);
    const replaceAll = 'xyz.openbmc_project.Certs.Extension.Upload.ReplaceAll';
    await store.call(paths.authority, replaceAll, 'ayss', Buffer.from(oldCa.pem), 'PEM', '');
    store.leave();
  });
  afterEach(async () => {
    owner.leave();
    await until('the replacement of who left is over', async () => (await state()) === 'None');
  });

  it('is staged, activated and committed by its owner', async () => {
    assert.equal(await state(), 'None');
    const id = await stage();
    assert.equal(await state(), 'Staged');
    const args = ['get-property', names.server, paths.server, replacement, 'Id'];
    assert.equal(await tools.busctl(...args), `s "${id}"\n`);
    assert.equal(subject(), 'subject=CN = old');
    await act('Activate', id);
    assert.equal(await state(), 'Active');
    assert.equal(subject(), 'subject=CN = next');
    await trusts(next);
    await act('Commit', id);
    assert.equal(await state(), 'None');
    assert.equal(subject(), 'subject=CN = next');
    const states = owner
      .signals('PropertiesChanged')
      .filter(({ body: [name, changed] }) => name === replacement && 'State' in Object(changed));
    assert.equal(states.length, 3);
  });

  it('is undone by its owner', async () => {
    const id = await stage();
    await act('Activate', id);
    await act('Rollback', id);
    assert.equal(subject(), 'subject=CN = old');
    await trusts(old);
    await assert.rejects(trusts(next));
  });

  it('is undone when its owner leaves the bus', async () => {
    const id = await stage();
    await act('Activate', id);
    owner.leave();
    await until('it is undone', async () => (await state()) === 'None');
    assert.equal(subject(), 'subject=CN = old');
    await trusts(old);
  });

  describe('that is detached', () => {
    it('outlives its connection, and any connection of its user goes on with it', async () => {
      await act('Detach', await stage());
      owner.leave();
      await tools.busctl(
        'call',
        names.server,
        paths.server,
        replacement,
        'Activate',
        'su',
        '',
        '0',
      );
      assert.equal(subject(), 'subject=CN = next');
      await tools.busctl('call', names.server, paths.server, replacement, 'Commit', 's', '');
      assert.equal(await state(), 'None');
      assert.equal(subject(), 'subject=CN = next');
    });

    it('is undone when its time is up, which its object tells', async () => {
      const before = Math.floor(Date.now() / 1000);
      await act('Detach', await stage());
      const args = [names.server, paths.server, replacement];
      await tools.busctl('call', ...args, 'Activate', 'su', '', '2');
      const [, deadline] = (await tools.busctl('get-property', ...args, 'Deadline')).split(' ');
      assert.ok(Number(deadline) >= before + 2, deadline);
      await until('it is undone', async () => (await state()) === 'None');
      assert.equal(subject(), 'subject=CN = old');
      assert.equal((await tools.busctl('get-property', ...args, 'Deadline')).trim(), 't 0');
    });
  });

  it('is undone when its time is up', async () => {
    const id = await stage();
    await owner.call(paths.server, `${replacement}.Activate`, 'su', id, 1);
    assert.equal(subject(), 'subject=CN = next');
    await until('it is undone', async () => (await state()) === 'None');
    assert.equal(subject(), 'subject=CN = old');
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`is undone when the manager ends by ${signal} and starts again`, async () => {
      const id = await stage();
      await act('Activate', id);
      await manager.stop(signal);
      manager = await startManager(bus);
      assert.equal(await state(), 'None');
      assert.equal(subject(), 'subject=CN = old');
      await trusts(old);
      assert.doesNotMatch(manager.output(), /PRIVATE KEY/);
    });
  }

  it('is over when its owner leaves while it is being staged', async () => {
    void stage().catch(() => undefined);
    await owner.call(paths.server, 'org.freedesktop.DBus.Peer.Ping', '');
    owner.leave();
    const other = await busCaller(bus.address, names.server);
    const body = [pairOf(next), 'PEM', '', '', none, '', 0];
    await until('others may go on', () =>
      other.call(paths.server, `${replacement}.Stage`, stageSignature, ...body).then(
        () => true,
        () => false,
      ),
    );
    other.leave();
    await until('that one is over too', async () => (await state()) === 'None');
  });

  it('keeps out Replace and Delete of others with NotAllowed that says why', async () => {
    await stage();
    const path = authority.write('next-pair.pem', pairOf(next).toString());
    const replace = 'xyz.openbmc_project.Certs.Replace.Replace';
    const refusals = [
      await tools.refusal(`${paths.server}/1`, replace, `string:${path}`),
      await tools.refusal(`${paths.server}/1`, 'xyz.openbmc_project.Object.Delete.Delete'),
    ];
    for (const refusal of refusals) {
      assert.match(
        refusal,
        /^xyz\.openbmc_project\.Common\.Error\.NotAllowed: replacement-in-progress: /,
      );
    }
  });

  it('is nobody else’s', async () => {
    const id = await stage();
    for (const what of ['Commit', 'Rollback']) {
      const refusal = await tools.refusal(paths.server, `${replacement}.${what}`, `string:${id}`);
      assert.match(refusal, /UnknownObject: not-found/);
    }
  });

  const bad: readonly [string, () => Promise<unknown>, string][] = [
    [
      'a key of another certificate',
      () => stage(0, Buffer.from(old.key + next.pem)),
      'key-mismatch',
    ],
    ['a bad bundle', () => stage(0, pairOf(next), Buffer.from('garbage')), 'no-certificate'],
    ['no certificate', () => stage(0, none), 'file-empty'],
    ['too long a time', () => stage(3601), 'argument-invalid'],
    [
      'a truststore that is none',
      () =>
        owner.call(
          paths.server,
          `${replacement}.Stage`,
          stageSignature,
          ...[pairOf(next), 'PEM', '', paths.client, Buffer.from(ca.pem), 'PEM', 0],
        ),
      'argument-invalid',
    ],
  ];
  for (const [what, call, code] of bad) {
    it(`is refused with ${what}, and holds nothing`, async () => {
      await assert.rejects(call(), { code });
      assert.equal(await state(), 'None');
    });
  }
});
