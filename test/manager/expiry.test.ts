import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ExpiryNews,
  ExpiryWatch,
  expiryOf,
  validityWarning,
} from '../../src/manager/expiry.ts';
import type { InstalledCertificate } from '../../src/manager/installed-certificate.ts';
import type { Certificate } from '../../src/x509/certificate.ts';

const day = 86_400;
const thresholds = [60, 30, 14, 7, 1];
const begin = Date.UTC(2026, 0, 1) / 1000;
const end = begin + 365 * day;
// Only the times and the fingerprint of a certificate count here
const certificate = { notBefore: begin, notAfter: end, fingerprint: 'AA' } as Certificate;
const installed: InstalledCertificate = { id: '1', certificate, chain: [] };
const at = (secondsLeft: number) => (end - secondsLeft) * 1000;

describe('the expiry of a certificate', () => {
  const table: [string, number, string, number][] = [
    ['a day before its beginning', 366 * day, 'NotYetValid', 366],
    ['at its beginning', 365 * day, 'Valid', 365],
    ['a second before the first threshold', 60 * day + 1, 'Valid', 60],
    ['at the first threshold', 60 * day, 'Expiring', 60],
    ['half a day before its end', day / 2, 'Expiring', 0],
    ['at its very end', 0, 'Expiring', 0],
    ['a second after its end', -1, 'Expired', -1],
    ['with a clock at 1970', end, 'NotYetValid', Math.floor(end / day)],
  ];
  for (const [when, left, state, daysLeft] of table) {
    it(`is ${state} ${when}`, () => {
      assert.deepEqual(expiryOf(certificate, at(left), thresholds), { state, daysLeft });
    });
  }
});

describe('the warning of a certificate outside its validity', () => {
  it('says when it ended, and what the clock says', () => {
    assert.deepEqual(validityWarning(certificate, at(-1)), {
      code: 'expired',
      text: 'it expired at 2027-01-01T00:00:00Z; the clock of the device is at 2027-01-01T00:00:01Z',
    });
  });

  it('says when it begins, and what the clock says', () => {
    assert.deepEqual(validityWarning(certificate, 0), {
      code: 'not-yet-valid',
      text: 'it begins at 2026-01-01T00:00:00Z; the clock of the device is at 1970-01-01T00:00:00Z',
    });
  });

  it('is not there until its end', () => {
    assert.equal(validityWarning(certificate, at(0)), undefined);
  });
});

describe('the watch over expiry', () => {
  const looks = (...lefts: number[]): ExpiryNews[][] => {
    const watch = new ExpiryWatch(thresholds);
    return lefts.map((left) => watch.look([installed], at(left)));
  };
  const reached = (news: ExpiryNews[][]) => news.map((one) => one[0]?.threshold);

  it('tells of each threshold once, and of the end as 0', () => {
    const days = [61, 60, 59.5, 30, 14, 7, 1, 0.5, -1, -2];
    const told = reached(looks(...days.map((left) => left * day)));
    assert.deepEqual(told, [undefined, 60, undefined, 30, 14, 7, 1, undefined, 0, undefined]);
  });

  it('tells only of the lowest threshold when the clock jumps over several', () => {
    assert.deepEqual(reached(looks(100 * day, 2 * day)), [undefined, 7]);
  });

  it('tells of a certificate that is past a threshold when it is first seen', () => {
    assert.deepEqual(reached(looks(10 * day)), [14]);
  });

  it('tells of a threshold again after the clock was set back', () => {
    assert.deepEqual(reached(looks(10 * day, 100 * day, 10 * day)), [14, undefined, 14]);
  });

  it('tells of every day that goes by, and of nothing within a day', () => {
    const [first, sameDay, nextDay] = looks(100.9 * day, 100.2 * day, 99.5 * day);
    assert.deepEqual([first, sameDay], [[], []]);
    assert.equal(nextDay?.[0]?.expiry.daysLeft, 99);
  });

  it('begins anew with a certificate in place of another', () => {
    const watch = new ExpiryWatch(thresholds);
    watch.look([installed], at(10 * day));
    const renewed = { ...installed, certificate: { ...certificate, fingerprint: 'BB' } };
    assert.equal(watch.look([renewed], at(10 * day))[0]?.threshold, 14);
  });
});
