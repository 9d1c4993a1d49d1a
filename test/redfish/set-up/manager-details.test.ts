import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { bootClock, firmwareVersionOf } from '../../../src/redfish/set-up/manager-details.ts';

const { version: ours } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
);

describe('the version of the firmware', () => {
  const root = mkdtempSync(join(tmpdir(), 'os-release-'));
  after(() => rmSync(root, { recursive: true }));
  let made = 0;

  function rootWith(files: Readonly<Record<string, string>>): string {
    made += 1;
    const folder = join(root, String(made));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  const openBmc = 'ID=openbmc-phosphor\nVERSION="3.1.0 (kirkstone)"\nVERSION_ID=3.1.0-dev-1\n';
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['os-release of OpenBMC', { 'etc/os-release': openBmc }, '3.1.0-dev-1'],
    ['double quotes', { 'etc/os-release': 'VERSION_ID="13"\n' }, '13'],
    ['single quotes', { 'etc/os-release': "A=b\nVERSION_ID='2.0 rc'" }, '2.0 rc'],
    ['the file of the vendor', { 'usr/lib/os-release': 'VERSION_ID=7\n' }, '7'],
    [
      'the file of the administrator before that of the vendor',
      { 'etc/os-release': 'VERSION_ID=8\n', 'usr/lib/os-release': 'VERSION_ID=7\n' },
      '8',
    ],
    ['no version', { 'etc/os-release': 'ID=arch\nOTHER_VERSION_ID=3\n' }, ours],
    ['an empty version', { 'etc/os-release': 'VERSION_ID=\n' }, ours],
    ['control characters', { 'etc/os-release': 'VERSION_ID="1\u00072"\n' }, ours],
    ['a version without end', { 'etc/os-release': `VERSION_ID=${'1'.repeat(500)}\n` }, ours],
    ['no file', {}, ours],
  ];
  for (const [what, files, expected] of cases) {
    it(`is ${expected === ours ? 'that of this program' : expected} with ${what}`, () => {
      assert.equal(firmwareVersionOf(rootWith(files)), expected);
    });
  }
});

describe('the time of the last boot', () => {
  const start = Date.UTC(2026, 5, 1);

  it('stays the same however often it is read', () => {
    let elapsed = 0;
    // A machine that has much to do reads the second clock late
    const jitter = [0, 900, 0, 400, 1500];
    const read = bootClock(
      () => start + elapsed,
      () => 100 + (elapsed + (jitter.shift() ?? 0)) / 1000,
    );
    const times = [1, 2, 3, 4, 5].map(() => {
      elapsed += 60_000;
      return read();
    });
    assert.deepEqual(new Set(times), new Set([start - 100_000]));
  });

  it('moves once when the clock is set', () => {
    let now = Date.UTC(1970, 0, 1, 0, 5);
    let uptime = 300;
    const read = bootClock(
      () => now,
      () => uptime,
    );
    assert.equal(read(), 0);
    now = start;
    const after = read();
    assert.equal(after, start - 300_000);
    now += 5000;
    uptime += 5;
    assert.equal(read(), after);
  });

  it('is taken from the system', () => {
    const btime = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
    assert.ok(Math.abs(bootClock(Date.now)() / 1000 - btime) < 5);
  });
});
