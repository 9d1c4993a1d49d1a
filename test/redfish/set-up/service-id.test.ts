import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { machineId } from '../../../src/platform/machine-id.ts';
import { serviceId, serviceIdOf } from '../../../src/redfish/set-up/service-id.ts';

const machine = '0123456789abcdef0123456789abcdef';

let root: string;
let lines: string[];
const note = (message: string) => lines.push(message);
const log = { debug: note, info: note, warn: note, error: note };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'machine-'));
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

describe('the UUID of the service', () => {
  it('follows from the id of the machine as systemd derives ids of applications', () => {
    // systemd-id128 machine-id --app-specific=21de5568b1fe43c9b9a6f51802445788 on such a machine
    assert.equal(serviceIdOf(machine), 'ad8eddd1-c375-4169-aba8-198cea4664f3');
    assert.equal(serviceId(log, machine), serviceIdOf(machine));
    assert.deepEqual(lines, []);
  });

  it('is another one on another machine', () => {
    assert.notEqual(serviceIdOf('f'.repeat(32)), serviceIdOf(machine));
  });

  it('is random, with a warning, where the machine has no id', () => {
    const first = serviceId(log, machineId(root));
    assert.match(first, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(serviceId(log, machineId(root)), first);
    assert.equal(lines.length, 2);
  });
});

describe('the id of the machine', () => {
  it('is in /etc, or else where D-Bus has it', () => {
    write('var/lib/dbus/machine-id', `${machine}\n`);
    assert.equal(machineId(root), machine);
    write('etc/machine-id', `${'ab'.repeat(16)}\n`);
    assert.equal(machineId(root), 'ab'.repeat(16));
  });

  for (const text of [
    '',
    'uninitialized\n',
    `${'0'.repeat(32)}\n`,
    `${machine}00\n`,
    '"><script>',
  ]) {
    it(`is none in a file that holds ${JSON.stringify(text)}`, () => {
      write('etc/machine-id', text);
      assert.equal(machineId(root), undefined);
    });
  }
});
