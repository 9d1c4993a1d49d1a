import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { extent } from '../extent.ts';
import { openWorkshop, type Workshop } from '../file-operations/followed.ts';
import { whyNotFollowed } from '../file-operations/library.ts';
import { scenes } from '../file-operations/scenes.ts';
import { faults } from './faults.ts';
import { failOperations } from './sweep.ts';

/** Each was found wrong once, so a quick run has every operation fail; a long one does that with all. */
const found: Readonly<Record<string, readonly string[]>> = {
  'server: delete': ['EIO of reading once', 'EACCES of reading once'],
  'truststore: install the first': ['EIO once', 'EIO from then on'],
  'truststore: delete the newest': ['EIO once', 'EIO from then on'],
  'two phases: stage, activate and keep': ['EIO of reading once', 'EACCES of reading once'],
  'service: a start when other users count than before': ['EMFILE of reading from then on'],
};

const skip =
  whyNotFollowed() || extent<string | false>({ quick: false, long: 'the sweeps have them' });

describe('a change that was found wrong when the file system failed', { skip }, () => {
  let workshop: Workshop;
  before(async () => {
    workshop = await openWorkshop();
  });
  after(() => workshop.close());

  for (const [name, kinds] of Object.entries(found)) {
    for (const kind of kinds) {
      it(`is right: ${name}, ${kind}`, async () => {
        const scene = scenes.find((one) => one.name === name);
        const fault = faults.find((one) => one.name === kind);
        assert.ok(scene && fault);
        const { ends, failures } = await failOperations(workshop, scene, [{ fault, first: 1 }], 1);
        assert.ok(ends.length > 0, 'nothing failed');
        assert.equal(failures.length, 0, failures.join('\n'));
      });
    }
  }
});
