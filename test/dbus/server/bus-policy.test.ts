import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import { busTools } from '../../fakes/bus-tools.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const policy = fileURLToPath(
  new URL('../../../systemd/bmc-certificate-manager.conf', import.meta.url),
);
const signing = 'xyz.openbmc_project.Certs.ca.authority.Manager';

/** The policy is about root and others, so that only root can see what it does. */
if (process.getuid?.() === 0) {
  describe('the policy of the bus', () => {
    let bus: PrivateBus;
    let manager: ManagerProcess;
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const as = (who: readonly string[], destination: string) =>
      busTools({ address: bus.address, destination, as: who });
    const methods: readonly [string, string, string][] = [
      [names.server, paths.server, 'org.freedesktop.DBus.ObjectManager.GetManagedObjects'],
      [names.server, paths.server, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll'],
      [names.client, paths.client, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll'],
      [names.authority, paths.authority, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll'],
      [signing, '/xyz/openbmc_project/certs/ca', 'org.freedesktop.DBus.Introspectable.Introspect'],
    ];

    before(async () => {
      bus = await startPrivateBus('bus', policy);
      manager = await startManager(bus, { signing: { enabled: true } });
    });
    after(async () => {
      await manager?.stop();
      await bus?.stop();
    });

    for (const [destination, path, method] of methods) {
      it(`lets root call ${method} of ${destination}, and nobody else`, async () => {
        await as([], destination).call(path, method);
        const refusal = await as(nobody, destination).refusal(path, method);
        assert.match(refusal, /^org\.freedesktop\.DBus\.Error\.AccessDenied: /);
      });
    }

    it('lets root alone have the names', async () => {
      const tools = as(nobody, 'org.freedesktop.DBus');
      const free = 'xyz.openbmc_project.Certs.Manager.Server.Another';
      const request = 'org.freedesktop.DBus.RequestName';
      const answer = await tools.refusal('/', request, `string:${free}`, 'uint32:4');
      assert.match(answer, /AccessDenied/);
      const root = await connectBus(bus.address);
      await requestName(root, free);
      root.close();
    });
  });
}
