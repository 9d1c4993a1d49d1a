import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { ask, install } from './installation.ts';

const units = 'certificate-manager redfish account-manager cmp gnoi netconf bundle'.split(' ');

/** What hangs is ended after so long here, to spare the test a minute; a program that is well may be as late as that. */
const watchdogSeconds = 20;

/** Makes a program hang when it is told to. */
const hanging = 'process.on("SIGUSR2", () => { while (true); });';

describe('the watchdog of systemd', { skip: whyNoDevice() ?? false }, () => {
  let device: Device;

  before(async () => {
    device = await startDevice();
    await install(device);
    writeFileSync(join(device.root, 'hanging.mjs'), hanging);
    const dropIn = `[Service]
      WatchdogSec=${watchdogSeconds}
      Environment=NODE_OPTIONS=--import=/hanging.mjs`;
    for (const unit of units) {
      const directory = `/run/systemd/system/bmc-${unit}.service.d`;
      const write = `mkdir -p ${directory} && printf '${dropIn}' > ${directory}/test.conf`;
      await device.must('sh', '-e', '-c', write);
    }
    await device.must('systemctl', 'daemon-reload');
    await device.must('systemctl', 'restart', ...units.map((unit) => `bmc-${unit}`));
  });
  after(() => device?.stop());

  const show = async (unit: string, property: string) => {
    const options = ['show', `--property=${property}`, '--value', `bmc-${unit}`];
    return (await device.must('systemctl', ...options)).trim();
  };

  it('is on in each unit', async () => {
    for (const unit of units) {
      const text = await device.must('cat', `/lib/systemd/system/bmc-${unit}.service`);
      assert.match(text, /^WatchdogSec=60$/m, unit);
    }
  });

  it('finds that Redfish serves once its start has ended', async () => {
    await device.must('systemctl', 'restart', 'bmc-redfish');
    assert.equal((await ask(device, '/redfish/v1')).status, 200);
  });

  it('finds the names of the manager on the bus once its start has ended', async () => {
    await device.must('systemctl', 'restart', 'bmc-certificate-manager');
    const names = await device.must('busctl', 'list', '--acquired');
    for (const name of ['Server.Https', 'Client.Ldap', 'Authority.Truststore'])
      assert.match(names, new RegExp(`Certs\\.Manager\\.${name}\\b`));
  });

  it('lets each unit run that tells it in time', async () => {
    await Promise.all(
      units.map((unit) =>
        until(`${unit} told it after the time in which it has to`, async () => {
          const [started, told] = [
            Number(await show(unit, 'ActiveEnterTimestampMonotonic')),
            Number(await show(unit, 'WatchdogTimestampMonotonic')),
          ];
          return started > 0 && told > started + watchdogSeconds * 1_000_000;
        }),
      ),
    );
  });

  for (const [what, signal] of [
    ['stopped', 'STOP'],
    ['hanging', 'USR2'],
  ] as const) {
    it(`has each unit started again whose program is ${what}`, async () => {
      const ended = async (unit: string) => {
        const pid = await show(unit, 'MainPID');
        await device.must('kill', `-${signal}`, pid);
        await until(`another ${unit} runs`, async () => {
          const [now, state] = [await show(unit, 'MainPID'), await show(unit, 'ActiveState')];
          return now !== pid && now !== '0' && state === 'active';
        });
        const log = await device.must('journalctl', '--no-pager', `--unit=bmc-${unit}`);
        assert.match(log, new RegExp(`Killing process ${pid} .*SIGKILL`), unit);
      };
      await Promise.all(units.map(ended));
    });
  }
});
