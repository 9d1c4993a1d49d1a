import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toldEndpoints as endpoints, serveFor } from '../../fakes/operated-device.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import { asNobody } from '../../fakes/redfish-process.ts';

const program = fileURLToPath(new URL('../../../dist/bmc-certs.js', import.meta.url));
const keys = (value: unknown) => Object.keys(Object(value));

let world: OperatorWorld;
beforeEach(async () => {
  world = await operatorWorld({ endpoints });
});
afterEach(() => world?.close());

describe('bmc-certs status and reload', () => {
  it('show where endpoints and services stand, with the same members for each', async () => {
    await world.run(['csr', 'server/https', '--name', 'x']);
    const rows = await world.json('status');
    assert.ok(Array.isArray(rows));
    const members = [
      'endpoint',
      'origin',
      'certificates',
      'daysLeft',
      'warnings',
      'pending',
      'replacement',
    ];
    for (const row of rows)
      assert.deepEqual(keys(row), [...members, 'deadline', 'reloads', 'services']);
    const { pending, certificates, services } = rows[2];
    assert.deepEqual([pending, certificates], [1, 1]);
    assert.deepEqual(keys(services[0]), ['service', 'outcome', 'reason', 'at', 'attempts']);
    assert.match(
      (await world.run(['status'])).stdout,
      /^server\/https +configuration +1 +39\d +0 +1 +None +- +.*absent\.pid: NotRunning$/m,
    );
  });

  it('tell the services once more, and say what became of it', async () => {
    const { stdout, status } = await world.run(['reload', 'server/https']);
    assert.equal(status, 0);
    assert.match(stdout, /absent\.pid +NotRunning/);
    const none = await world.run(['reload', 'client/ldap']);
    assert.equal(none.stdout, 'client/ldap has no services to tell.\n');
  });

  it('show a user who may not change anything what that user may know', async () => {
    const { stdout, status, stderr } = await world.run(['status', '--json'], '', asNobody);
    assert.equal(status, 0, stderr);
    assert.equal(JSON.parse(stdout)[2].pending, null);
  });
});

describe('bmc-certs watch', () => {
  it('prints a line for each event as it happens, and ends after as many as are asked for', async () => {
    const child = spawn(process.execPath, [program, 'watch', '--json', '--count', '2'], {
      env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: world.bus.address, LOG_LEVEL: 'info' },
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // The log tells when the copy of an endpoint is there
    let isReady = false;
    createInterface(child.stderr).on('line', (line) => {
      isReady ||= line.includes('Server.Https');
    });
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    while (!isReady) await new Promise((resolve) => setTimeout(resolve, 50));
    await serveFor(world, 50);
    const ca = world.authority.issueCa({ subject: '/CN=watched' });
    await world.run(['trust', 'add', ca.path]);
    assert.equal(await ended, 0);
    const events = lines.map((line) => JSON.parse(line));
    const members = ['time', 'event', 'certificate', 'subject', 'notAfter', 'sha256', 'days'];
    for (const event of events) assert.deepEqual(keys(event), members);
    assert.deepEqual([events[0].event, events[0].certificate], ['changed', 'server/https/1']);
  });
});
