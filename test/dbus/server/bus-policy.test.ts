import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endpointsName, endpointsRoot } from '../../../src/dbus/endpoints/paths.ts';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import { until } from '../../e2e/commands.ts';
import { type AccountManagerProcess, startAccountManager } from '../../fakes/account-manager.ts';
import { busTools } from '../../fakes/bus-tools.ts';
import { startFakeErrorLog } from '../../fakes/error-log.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PolicyBus, policyBuses } from '../../fakes/policy-bus.ts';

const shipped = fileURLToPath(
  new URL('../../../systemd/bmc-certificate-manager.conf', import.meta.url),
);
const signing = 'xyz.openbmc_project.Certs.ca.authority.Manager';
const shared = 'xyz.openbmc_project.Certs.Manager';
/** An endpoint that the policy does not know. */
const another = {
  name: 'xyz.openbmc_project.Certs.Manager.Client.Nats',
  path: '/xyz/openbmc_project/certs/client/nats',
};
const objects = 'org.freedesktop.DBus.ObjectManager.GetManagedObjects';
const deleteAll = 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll';
const asUser = (id: number) => [`setpriv`, `--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
/** A user of every system, in place of the one of the Redfish service. */
const redfish = asUser(1);
const nobody = asUser(65534);
/** The same in place of the one of the account manager. */
const accountsUser = asUser(2);
/** The same in place of the one of the agent of CMP, whose id is that of sys. */
const cmp = asUser(3);
/** The same in place of the one of the gNOI service, whose id is that of games. */
const gnoi = asUser(5);
/** The same in place of the one of the trust bundles, whose id is that of man. */
const bundle = asUser(6);
/** The same in place of the one of the NETCONF service, whose id is that of mail. */
const netconf = asUser(8);
/** In whose place they are. */
const standIns = {
  ...{ 'bmc-redfish': 'daemon', 'bmc-accounts': 'bin' },
  ...{ 'bmc-cmp': 'sys', 'bmc-gnoi': 'games', 'bmc-bundle': 'man' },
  'bmc-netconf': 'mail',
};
const accounts = 'xyz.openbmc_project.Certs.Accounts';
const watch = 'xyz.openbmc_project.Certs.Extension.Accounts.Watch';

/** The policy is about root and others, so that only root can see what it does. */
for (const { program, start, why } of process.getuid?.() === 0 ? policyBuses : []) {
  describe(`the policy of the bus under ${program}`, { skip: why ?? false }, () => {
    let directory: string;
    let bus: PolicyBus;
    let manager: ManagerProcess;
    let accountManager: AccountManagerProcess;
    const as = (who: readonly string[], destination: string) =>
      busTools({ address: bus.address, destination, as: who });
    const endpoints: readonly (readonly [string, string])[] = [
      [names.server, paths.server],
      [names.client, paths.client],
      [names.authority, paths.authority],
      [another.name, another.path],
    ];

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'bmc-policy-'));
      const policy = join(directory, 'policy.conf');
      const text = Object.entries(standIns).reduce(
        (replaced, [user, other]) => replaced.replaceAll(`"${user}"`, `"${other}"`),
        readFileSync(shipped, 'utf8'),
      );
      // As the policy of phosphor-logging has it
      const own = '<allow own="xyz.openbmc_project.Logging"/>';
      writeFileSync(policy, text.replace('<policy user="root">', `$&${own}`));
      bus = await start(policy);
      manager = await startManager(bus, {
        signing: { enabled: true },
        access: { users: ['daemon'] },
        endpoints: [
          { type: 'server', name: 'https', path: 'https/server.pem', reload: [] },
          { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
          { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
          { type: 'client', name: 'nats', path: 'nats/cert.pem', reload: [] },
        ],
      });
    });
    before(async () => {
      const state = join(directory, 'accounts');
      mkdirSync(state);
      chownSync(state, 2, 2);
      chmodSync(directory, 0o755);
      const users = { directory: state, access: { users: ['daemon', 'games', 'mail'] } };
      const file = join(directory, 'configuration.json');
      writeFileSync(file, JSON.stringify({ bus: bus.address, users }));
      accountManager = await startAccountManager(file, accountsUser);
    });
    after(async () => {
      await accountManager?.stop();
      await manager?.stop();
      await bus?.stop();
      await rm(directory, { recursive: true, force: true });
    });

    for (const [name, path] of endpoints) {
      it(`lets root and the Redfish service use ${name}, and nobody else`, async () => {
        for (const who of [[], redfish]) {
          await as(who, name).call(path, objects);
          await as(who, name).call(path, deleteAll);
        }
        for (const method of [objects, deleteAll]) {
          const refusal = await as(nobody, name).refusal(path, method);
          assert.match(refusal, /^org\.freedesktop\.DBus\.Error\.AccessDenied: /);
        }
      });
    }

    it('lets the manager make entries in phosphor-logging', async () => {
      const errors = await startFakeErrorLog(bus.address);
      writeFileSync(join(bus.directory, 'https/server.pem'), 'no certificate\n');
      await until('there is one', async () => errors.entries.length > 0);
      errors.leave();
    });

    it('lets root alone have requests signed', async () => {
      const path = '/xyz/openbmc_project/certs/ca';
      const method = 'org.freedesktop.DBus.Introspectable.Introspect';
      await as([], signing).call(path, method);
      for (const who of [redfish, cmp, gnoi, netconf, bundle, nobody])
        assert.match(await as(who, signing).refusal(path, method), /AccessDenied/);
    });

    it('lets root alone have the names', async () => {
      const free = 'xyz.openbmc_project.Certs.Manager.Server.Another';
      for (const name of [free, shared, endpointsName]) {
        for (const who of [redfish, cmp, gnoi, netconf, bundle, nobody]) {
          const tools = as(who, 'org.freedesktop.DBus');
          const request = 'org.freedesktop.DBus.RequestName';
          const answer = await tools.refusal('/', request, `string:${name}`, 'uint32:0');
          assert.match(answer, /AccessDenied/);
        }
      }
      const root = await connectBus(bus.address);
      await requestName(root, free);
      root.close();
    });

    it('lets the edges but that of bundles read the endpoints of the configuration', async () => {
      for (const who of [cmp, gnoi, netconf])
        await as(who, names.server).call(paths.server, objects);
      const refusal = await as(bundle, names.server).refusal(paths.server, objects);
      assert.match(refusal, /AccessDenied/);
    });

    it('has no objects under the name that the endpoints share', async () => {
      for (const [, path] of endpoints) {
        const refusal = await as([], shared).refusal(path, objects);
        assert.match(refusal, /^org\.freedesktop\.DBus\.Error\.Unknown/);
      }
    });

    it('lets root and the edges that have endpoints of run time call these, and nobody else', async () => {
      for (const who of [[], redfish, cmp, gnoi, netconf, bundle])
        await as(who, endpointsName).call(endpointsRoot, objects);
      for (const who of [accountsUser, nobody])
        assert.match(await as(who, endpointsName).refusal(endpointsRoot, objects), /AccessDenied/);
    });

    it('lets root and the edges that log users in ask for the accounts, and nobody else, not even to read', async () => {
      const path = '/xyz/openbmc_project/certs/accounts';
      for (const who of [[], redfish, gnoi, netconf]) await as(who, accounts).call(path, watch);
      for (const method of [watch, 'org.freedesktop.DBus.Introspectable.Introspect']) {
        for (const who of [cmp, bundle, nobody]) {
          const refusal = await as(who, accounts).refusal(path, method);
          assert.match(refusal, /^org\.freedesktop\.DBus\.Error\.AccessDenied: /);
        }
      }
    });

    const edges = [
      ['the agent of CMP', cmp, 'Enrolment', 'enrolment', 'Enrolment.Certificates'],
      ['the gNOI service', gnoi, 'Gnoi', 'gnoi', 'Gnoi.Extend'],
      ['the NETCONF service', netconf, 'Netconf', 'netconf', 'Netconf.ResetClientIdentities'],
      ['the program of bundles', bundle, 'TrustBundles', 'trust_bundles', 'TrustBundle.Download'],
    ] as const;
    for (const [edge, user, noun, object, member] of edges) {
      it(`lets ${edge} alone have its name, which reaches the endpoints of run time and is reached by root`, async () => {
        const name = `xyz.openbmc_project.Certs.${noun}`;
        const request = 'org.freedesktop.DBus.RequestName';
        const others = [redfish, cmp, gnoi, netconf, bundle, nobody].filter((one) => one !== user);
        for (const who of [[], ...others]) {
          const tools = as(who, 'org.freedesktop.DBus');
          const answer = await tools.refusal('/', request, `string:${name}`, 'uint32:0');
          assert.match(answer, /AccessDenied/);
        }
        await as(user, 'org.freedesktop.DBus').call('/', request, 'su', name, '0');
        await as(user, endpointsName).call(endpointsRoot, objects);
        // The edge does not run, but a user who may ask learns just that
        const method = `xyz.openbmc_project.Certs.Extension.${member}`;
        const path = `/xyz/openbmc_project/certs/${object}`;
        assert.doesNotMatch(await as([], name).refusal(path, method), /AccessDenied/);
        for (const who of others)
          assert.match(await as(who, name).refusal(path, method), /AccessDenied|ServiceUnknown/);
      });
    }

    it('lets the account manager alone have the name of the accounts', async () => {
      await accountManager.stop();
      const request = 'org.freedesktop.DBus.RequestName';
      const ask = [`string:${accounts}`, 'uint32:0'];
      for (const who of [[], redfish, cmp, gnoi, netconf, bundle, nobody]) {
        const answer = await as(who, 'org.freedesktop.DBus').refusal('/', request, ...ask);
        assert.match(answer, /AccessDenied/);
      }
    });
  });
}
