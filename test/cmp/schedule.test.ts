import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expiryLine, isWarningDue, type Warning } from '../../src/cmp/schedule.ts';

const hour = 3600;
const notAfter = 1_800_000_000;
const certificate = { notBefore: notAfter - 90 * 24 * hour, notAfter, fingerprint: '00' };

/** The lines of an agent that looks at the clock every so many seconds, from a day before the end to half a day after. */
function lines(warning: Warning, lookSeconds: number): string[] {
  const said: string[] = [];
  let last = 0;
  for (let now = notAfter - 24 * hour; now < notAfter + 12 * hour; now += lookSeconds) {
    if (!isWarningDue(certificate, warning, last, now)) continue;
    said.push(expiryLine('sr-cert', 'TLS', notAfter, now));
    last = now;
  }
  return said;
}

const line = (hours: number, minutes = 0) =>
  `Certificate sr-cert used by TLS will expire in ${hours} hour(s) and ${minutes} minute(s).`;
const ended = 'Certificate sr-cert used by TLS has expired.';

describe('warnings of the end of a certificate', () => {
  const schedules: [string, Warning, string[]][] = [
    [
      '6 hours before it, and each hour',
      { hours: 6, repeatHours: 1 },
      [...[6, 5, 4, 3, 2, 1].map((hours) => line(hours)), ...Array(12).fill(ended)],
    ],
    [
      '6 hours before it, and every 4 hours',
      { hours: 6, repeatHours: 4 },
      [line(6), line(2), ended, ended, ended],
    ],
    [
      'an hour and a half before it, and each half hour',
      { hours: 1.5, repeatHours: 0.5 },
      [line(1, 30), line(1), line(0, 30), ...Array(24).fill(ended)],
    ],
    ['6 hours before it, once', { hours: 6, repeatHours: 0 }, [line(6), ended]],
    ['at the end alone', { hours: 0, repeatHours: 0 }, [ended]],
  ];
  for (const [when, warning, expected] of schedules) {
    for (const lookSeconds of [1, 30, 37])
      it(`come ${when}, with a look at the clock every ${lookSeconds} s`, () => {
        assert.deepEqual(lines(warning, lookSeconds), expected);
      });
  }

  it('do not pile up while the device is off', () => {
    const warning = { hours: 6, repeatHours: 1 };
    const last = notAfter - 6 * hour;
    const now = notAfter - 2 * hour - 100;
    assert.ok(isWarningDue(certificate, warning, last, now));
    assert.ok(!isWarningDue(certificate, warning, now, now + 99));
    assert.ok(isWarningDue(certificate, warning, now, now + 100));
  });
});
