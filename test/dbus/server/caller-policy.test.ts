import assert from 'node:assert/strict';
import { chownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { authorizeCaller, type CallerPolicy } from '../../../src/dbus/server/caller-policy.ts';
import {
  type Bus,
  connectBus,
  type OutgoingCall,
  type Signal,
} from '../../../src/dbus/transport/bus.ts';
import { watchCallers } from '../../../src/dbus/transport/bus-driver.ts';
import { busTools } from '../../fakes/bus-tools.ts';
import { managerOnBus } from '../../fakes/manager-on-bus.ts';
import { names, paths, startManager } from '../../fakes/manager-process.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const user = process.getuid?.() ?? 0;
const group = process.getgid?.() ?? 0;

describe('the policy for callers', () => {
  let daemon: PrivateBus;
  let own: Bus;
  let caller: Bus;

  before(async () => {
    daemon = await startPrivateBus();
    own = await connectBus(daemon.address);
    caller = await connectBus(daemon.address);
  });
  after(async () => {
    own?.close();
    caller?.close();
    await daemon?.stop();
  });

  const policies: readonly { rule: string; policy: CallerPolicy; open: boolean }[] = [
    {
      rule: 'refuses whom the policy does not name',
      policy: { users: [], groups: [] },
      open: false,
    },
    { rule: 'lets in a user', policy: { users: [user + 1, user], groups: [] }, open: true },
    { rule: 'lets in a member of a group', policy: { users: [], groups: [group] }, open: true },
    {
      rule: 'does not take a group for a user',
      policy: { users: [user + 1], groups: [group + 100_000] },
      open: false,
    },
  ];
  for (const { rule, policy, open } of policies) {
    it(`${rule}`, async () => {
      const authorize = authorizeCaller(await watchCallers(own), policy);
      if (open) await authorize(caller.uniqueName);
      else await assert.rejects(authorize(caller.uniqueName), { code: 'access-denied' });
    });
  }

  it('refuses a caller of whom the bus knows nothing', async () => {
    const authorize = authorizeCaller(await watchCallers(own), { users: [user], groups: [group] });
    await assert.rejects(authorize(':1.4711'), { code: 'access-denied' });
  });

  it('asks the bus once for a connection, and again when the name is used after its end', async () => {
    const fake = fakeBus(user);
    const authorize = authorizeCaller(await watchCallers(fake.bus), { users: [user], groups: [] });
    await Promise.all([authorize(':1.7'), authorize(':1.7'), authorize(':1.8')]);
    await authorize(':1.7');
    assert.deepEqual(fake.asked, [':1.7', ':1.8']);
    fake.end(':1.7');
    await authorize(':1.7');
    await authorize(':1.8');
    assert.deepEqual(fake.asked, [':1.7', ':1.8', ':1.7']);
  });

  it('believes only the bus that a connection ended', async () => {
    const fake = fakeBus(user);
    const authorize = authorizeCaller(await watchCallers(fake.bus), { users: [user], groups: [] });
    await authorize(':1.7');
    fake.end(':1.7', ':1.9');
    await authorize(':1.7');
    assert.deepEqual(fake.asked, [':1.7']);
  });

  it('asks again after the bus did not answer', async () => {
    const fake = fakeBus(user);
    const authorize = authorizeCaller(await watchCallers(fake.bus), { users: [user], groups: [] });
    fake.fail = true;
    await assert.rejects(authorize(':1.7'), { code: 'access-denied' });
    fake.fail = false;
    await authorize(':1.7');
  });
});

/** Changing the user takes root; the policy itself is tested above as anybody. */
if (user === 0) {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const member = ['setpriv', '--reuid=65534', '--regid=65534', '--groups=1'];

  describe('a manager called by another user', () => {
    const served = managerOnBus(names.server, { as: nobody });

    const extension = 'xyz.openbmc_project.Certs.Extension';
    const privileged = [
      { method: 'xyz.openbmc_project.Certs.Install.Install', args: ['string:/dev/null'] },
      { method: 'xyz.openbmc_project.Certs.InstallAll.InstallAll', args: ['string:/dev/null'] },
      { method: 'xyz.openbmc_project.Certs.ReplaceAll.ReplaceAll', args: ['string:/dev/null'] },
      { method: 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll', args: [] },
      { method: 'xyz.openbmc_project.Certs.Replace.Replace', args: ['string:/dev/null'] },
      { method: 'xyz.openbmc_project.Object.Delete.Delete', args: [] },
      { method: `${extension}.Request.Outstanding`, args: [] },
      { method: `${extension}.Request.Discard`, args: ['string:x'] },
      { method: `${extension}.Reload.Reload`, args: [] },
      { method: `${extension}.Replacement.Activate`, args: ['string:x', 'uint32:0'] },
      { method: `${extension}.Replacement.Commit`, args: ['string:x'] },
      { method: `${extension}.Replacement.Rollback`, args: ['string:x'] },
    ];
    for (const { method, args } of privileged) {
      it(`refuses ${method.split('.').at(-1)}`, async () => {
        const path = /Replace\.Replace|Delete\.Delete/.test(method)
          ? `${paths.server}/1`
          : paths.server;
        const answer = await served.tools.refusal(path, method, ...args);
        assert.match(answer, /^org\.freedesktop\.DBus\.Error\.AccessDenied: access-denied: /);
      });
    }

    it('refuses both ways to make a request', async () => {
      const empty = ['0', ...Array(8).fill(''), '0', '', '', '0', ...Array(5).fill('')];
      for (const name of ['CSR.Create.GenerateCSR', 'Extension.Request.Generate']) {
        const method = `xyz.openbmc_project.Certs.${name}`;
        const call = served.tools.call(paths.server, method, 'asssssssssxssassssss', ...empty);
        await assert.rejects(call, /Access denied/);
      }
    });

    it('lets it read everything that is no secret', async () => {
      await served.tools.introspect(paths.server);
      const get = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
      const { 0: objects } = await served.tools.call(paths.server, get);
      assert.deepEqual(Object.keys(objects ?? {}), [`${paths.server}/1`]);
      const all = 'org.freedesktop.DBus.Properties.GetAll';
      await served.tools.call(
        `${paths.server}/1`,
        all,
        's',
        'xyz.openbmc_project.Certs.Certificate',
      );
      await served.tools.call(paths.server, 'org.freedesktop.DBus.Peer.Ping');
    });

    it('notes in its log who was refused', async () => {
      assert.match(
        served.manager.output(),
        /audit: call refused change=[0-9a-f]{12} uid=65534 pid=\d+ sender=:1\.\d+ method=xyz\.\S+ path=\S+ outcome=access-denied\n/,
      );
    });
  });

  const named = [
    { who: 'a user', access: { users: ['nobody'] }, as: nobody },
    { who: 'a group', access: { groups: ['daemon'] }, as: member },
  ];
  for (const { who, access, as } of named) {
    it(`a manager obeys ${who} that its configuration names`, async () => {
      const bus = await startPrivateBus();
      try {
        const manager = await startManager(bus, { access });
        const tools = busTools({ address: bus.address, destination: names.authority, as });
        const deleteAll = 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll';
        await tools.call(paths.authority, deleteAll);
        await manager.stop();
      } finally {
        await bus.stop();
      }
    });
  }

  it('a caller of one endpoint reaches no truststore through its replacements', async () => {
    const bus = await startPrivateBus();
    try {
      const endpoint = (type: string, name: string, path: string, more: object = {}) => ({
        ...{ type, name, path, reload: [] },
        ...more,
      });
      const manager = await startManager(bus, {
        endpoints: [
          endpoint('server', 'https', 'https/server.pem', { access: { users: ['nobody'] } }),
          endpoint('authority', 'truststore', 'authority'),
          endpoint('authority', 'revoked', 'revoked', { access: { groups: ['nogroup'] } }),
        ],
      });
      const tools = busTools({ address: bus.address, destination: names.server, as: nobody });
      const stage = 'xyz.openbmc_project.Certs.Extension.Replacement.Stage';
      const content = ['array:byte:49', 'string:PEM'];
      const stageWith = (truststore: string) => {
        const rest = [`string:${truststore}`, ...content, 'uint32:0'];
        return tools.refusal(paths.server, stage, ...content, 'string:', ...rest);
      };
      assert.match(await stageWith(paths.authority), /AccessDenied: access-denied: user 65534/);
      // Past the policy it is the content that is refused
      assert.match(await stageWith(''), /no-certificate/);
      assert.match(
        await stageWith('/xyz/openbmc_project/certs/authority/revoked'),
        /no-certificate/,
      );
      await manager.stop();
    } finally {
      await bus.stop();
    }
  });

  it('a caller who is not root gives the manager files of his own, and no others', async () => {
    const bus = await startPrivateBus();
    const authority = opensslAuthority();
    try {
      const manager = await startManager(bus, { access: { users: ['nobody'] } });
      const tools = busTools({ address: bus.address, destination: names.server, as: nobody });
      const { key, pem } = authority.issue({ issuer: authority.issueCa() });
      const path = join(bus.directory, 'pair.pem');
      // As the file of another endpoint, whose key the caller may not see
      writeFileSync(path, key + pem, { mode: 0o600 });
      symlinkSync(path, join(bus.directory, 'link.pem'));
      const replace = 'xyz.openbmc_project.Certs.Replace.Replace';
      for (const name of ['pair.pem', 'link.pem']) {
        const file = `string:${join(bus.directory, name)}`;
        const answer = await tools.refusal(`${paths.server}/1`, replace, file);
        assert.match(answer, /file-unreadable: the file does not belong to the caller/);
      }
      chownSync(path, 65534, 65534);
      await tools.call(`${paths.server}/1`, replace, 's', path);
      await manager.stop();
    } finally {
      authority.remove();
      await bus.stop();
    }
  });
}

interface FakeBus {
  readonly bus: Bus;
  /** Names whose credentials were asked for. */
  readonly asked: string[];
  fail: boolean;
  end(name: string, teller?: string): void;
}

function fakeBus(userId: number): FakeBus {
  let listener: (signal: Signal) => void = () => undefined;
  const fake: FakeBus = {
    asked: [],
    fail: false,
    end(name, sender = 'org.freedesktop.DBus') {
      const { path, interface: from } = { path: '/', interface: 'org.freedesktop.DBus' };
      const member = 'NameOwnerChanged';
      listener({ path, interface: from, member, body: [name, name, ''], sender });
    },
    bus: {
      uniqueName: ':1.1',
      async call({ member, body = [] }: OutgoingCall) {
        if (member !== 'GetConnectionCredentials') return [];
        if (fake.fail) throw new Error('no answer');
        fake.asked.push(String(body[0]));
        return [{ UnixUserID: { signature: 'u', value: userId } }];
      },
      signal: () => undefined,
      handleCalls: () => undefined,
      onSignal(one) {
        listener = one;
        return () => undefined;
      },
      onLost: () => undefined,
      close: () => undefined,
    },
  };
  return fake;
}
