import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endpointsInterface } from '../../../src/dbus/endpoints/interfaces.ts';
import { endpointPath, endpointsName, endpointsRoot } from '../../../src/dbus/endpoints/paths.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { type ManagerProcess, startManager } from '../../fakes/manager-process.ts';
import { type PolicyBus, policyBuses } from '../../fakes/policy-bus.ts';

const shipped = fileURLToPath(
  new URL('../../../systemd/bmc-certificate-manager.conf', import.meta.url),
);

/** Users of every system in place of those of edges: that of gNOI, that of CMP, and one whom no rule names. */
const users = { gnoi: ['daemon', 1], cmp: ['bin', 2], other: ['sys', 3] } as const;
type Who = keyof typeof users | 'root' | 'nobody';

const services = [
  { name: 'gnoi', reload: [] },
  { name: 'cmp', reload: [] },
];
const access = [
  {
    ...{ users: ['daemon'], operations: ['change'], services: ['gnoi'] },
    endpoints: ['server/gnoi-*', '!server/gnoi-not-*', 'authority/gnoi-ca-bundle'],
  },
  { users: ['bin'], operations: ['change', 'sign'], endpoints: ['server/cmp-*', 'client/cmp-*'] },
];

const line = (user: string) =>
  `<policy user="${user}"><allow send_destination="${endpointsName}"/></policy>`;
const denied = /^org\.freedesktop\.DBus\.Error\.AccessDenied/;
/** What the manager itself says, and not the bus. */
const refused = /access-denied: user \d+ may not/;

const method = (member: keyof typeof endpointsInterface.methods) =>
  `${endpointsInterface.name}.${member}`;

/** Only root can be another user. */
for (const { program, start, why } of process.getuid?.() === 0 ? policyBuses : []) {
  describe(`the users of edges under ${program}`, { skip: why ?? false }, () => {
    let directory: string;
    let bus: PolicyBus;
    let manager: ManagerProcess;
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'bmc-access-'));
      const policy = join(directory, 'policy.conf');
      const lines = Object.values(users).map(([user]) => line(user));
      const text = readFileSync(shipped, 'utf8').replace(
        '</busconfig>',
        `${lines.join('')}</busconfig>`,
      );
      writeFileSync(policy, text);
      bus = await start(policy);
      manager = await startManager(bus, { services, runTimeEndpoints: { access } });
    });
    after(async () => {
      await manager.stop();
      await bus.stop();
      await rm(directory, { recursive: true });
    });

    const as = (who: Who): BusTools => {
      const id = { gnoi: 1, cmp: 2, other: 3, nobody: 65534, root: 0 }[who];
      const user =
        who === 'root' ? [] : ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
      return busTools({ address: bus.address, destination: endpointsName, as: user });
    };
    const add = (who: Who, type: string, id: string) =>
      as(who).call(endpointsRoot, method('Add'), 'ss', type, id);
    const cannotAdd = (who: Who, type: string, id: string) =>
      as(who).refusal(endpointsRoot, method('Add'), `string:${type}`, `string:${id}`);

    it('may add, change and remove the endpoints that the configuration gives them', async () => {
      await add('gnoi', 'server', 'gnoi-a');
      await add('cmp', 'client', 'cmp-a');
      await add('root', 'server', 'mine');
      const path = endpointPath({ type: 'server', name: 'gnoi-a' });
      await as('gnoi').call(path, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll');
      await as('gnoi').call(endpointsRoot, method('Remove'), 'o', path);
    });

    const strangers: readonly (readonly [Who, string, string])[] = [
      ['gnoi', 'server', 'cmp-a'],
      ['gnoi', 'server', 'gnoi-not-a'],
      ['gnoi', 'client', 'gnoi-a'],
      ['gnoi', 'authority', 'gnoi-ca-bundle-2'],
      ['gnoi', 'server', 'a-gnoi-b'],
      ['cmp', 'server', 'gnoi-a'],
      ['other', 'server', 'gnoi-a'],
    ];
    for (const [who, type, id] of strangers) {
      it(`of ${who} may not add ${type}/${id}`, async () => {
        assert.match(await cannotAdd(who, type, id), refused);
      });
    }

    it('may not change the endpoints of others by any method of theirs', async () => {
      await add('root', 'server', 'gnoi-own');
      const path = endpointPath({ type: 'server', name: 'gnoi-own' });
      const install = 'xyz.openbmc_project.Certs.Install.Install';
      assert.match(await as('cmp').refusal(path, install, 'string:/tmp/x'), refused);
      const remove = method('Remove');
      const argument = `objpath:${path}`;
      assert.match(await as('cmp').refusal(endpointsRoot, remove, argument), refused);
      // dbus-send knows no array of structures: a part of busctl
      const part = ['1', 'server', 'gnoi-own', 'false', '1', '0', 'PEM', '', '', '0'];
      const staging = as('cmp').call(endpointsRoot, method('Stage'), 'a(ssbaysss)u', ...part);
      await assert.rejects(staging, /Access denied/);
    });

    const signing = (who: Who, id: string) => {
      const strings = ['server', id, '', 'sha256'].map((one) => `string:${one}`);
      return as(who).refusal(endpointsRoot, method('Sign'), ...strings, 'array:byte:48,3,2,1,2');
    };
    it('sign with the keys of endpoints only where they may', async () => {
      await add('cmp', 'server', 'cmp-sign');
      await add('gnoi', 'server', 'gnoi-sign');
      assert.match(await signing('cmp', 'cmp-sign'), /not-found: there is no key in service/);
      for (const who of ['gnoi', 'other'] as const)
        assert.match(await signing(who, 'cmp-sign'), refused);
      assert.match(await signing('gnoi', 'gnoi-sign'), refused);
      assert.match(await signing('cmp', 'gnoi-sign'), refused);
    });

    it('bind their services alone, to their endpoints alone', async () => {
      const bind = (who: Who, service: string, id: string) =>
        as(who).call(endpointsRoot, method('Bind'), 'sss', service, 'server', id);
      const cannotBind = async (who: Who, service: string, id: string) => {
        const words = [service, 'server', id].map((one) => `string:${one}`);
        assert.match(await as(who).refusal(endpointsRoot, method('Bind'), ...words), refused);
      };
      await add('root', 'server', 'gnoi-b');
      await add('root', 'server', 'cmp-b');
      await bind('gnoi', 'gnoi', 'gnoi-b');
      await cannotBind('gnoi', 'cmp', 'gnoi-b');
      await cannotBind('gnoi', 'gnoi', 'cmp-b');
      await cannotBind('cmp', 'gnoi', 'cmp-b');
      const unbind = method('Unbind');
      assert.match(await as('cmp').refusal(endpointsRoot, unbind, 'string:gnoi'), refused);
      await as('gnoi').call(endpointsRoot, unbind, 's', 'gnoi');
    });

    it('read all endpoints, where the policy of the bus lets them call', async () => {
      const objects = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
      await as('other').call(endpointsRoot, objects);
      assert.match(await as('nobody').refusal(endpointsRoot, objects), denied);
    });

    it('leave a line of the audit that says which endpoint a call was about', async () => {
      await cannotAdd('cmp', 'server', 'gnoi-audit');
      const audited = manager
        .output()
        .split('\n')
        .find((one) => one.includes('gnoi-audit'));
      assert.match(audited ?? '', /audit: call refused.*server\/gnoi-audit.*access-denied/);
    });
  });
}
