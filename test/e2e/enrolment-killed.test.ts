import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Moment } from '../fakes/cmp-server.ts';
import { type EnrollingDevice, enrollingDevice } from '../fakes/enrolling-device.ts';
import { until } from './commands.ts';

for (const origin of ['configuration', 'run-time'] as const) {
  describe(`enrolment for an endpoint of origin ${origin}, whose processes are killed`, () => {
    let device: EnrollingDevice;
    beforeEach(async () => {
      device = await enrollingDevice(origin);
      await device.startAgent();
    });
    afterEach(() => device.stop());

    /** Exactly one certificate is in service, that which the CA knows as confirmed, and nothing is left over. */
    const endsWell = async () => {
      const isOver = () => device.journal().lastRequest?.status === 'processed';
      await until('the end of the transaction', isOver);
      await until('InUse', async () => (await device.status()).State === 'InUse');
      const last = device.ca.issued.at(-1);
      assert.equal(last?.state, 'confirmed');
      assert.deepEqual(device.serials(), [last?.certificate.serialNumber]);
      assert.equal(await device.pendingKeys(), 0);
      const { lastRequest, basis: _, ...left } = device.journal();
      assert.deepEqual(left, { failures: 0 });
      assert.equal(lastRequest?.status, 'processed');
    };

    const moments: [Moment, Moment, string][] = [
      ['connected', 'connected', 'before the request is sent'],
      ['ir came', 'kur came', 'after the request was sent'],
      ['ir done', 'kur done', 'after the CA issued the certificate'],
      ['certConf came', 'certConf came', 'before the CA has the confirmation'],
      ['certConf done', 'certConf done', 'after the CA has the confirmation'],
    ];
    for (const [first, renewal, when] of moments) {
      it(`ends well where the agent is killed ${when}`, async () => {
        for (const [at, operation] of [
          [first, 'ir'],
          [renewal, 'kur'],
        ] as const) {
          const before = device.serials();
          const reached = device.server.holdAt(at);
          const asked = device.enrol(operation).catch(() => 'killed');
          await reached;
          await device.killAgent();
          assert.equal(await asked, 'killed');
          assert.deepEqual(device.serials(), before);
          device.server.release();
          await device.startAgent();
          await endsWell();
          assert.notDeepEqual(device.serials(), before);
        }
      });
    }

    const returns = [
      // The service shows the old certificate then, which the agent believes after ten seconds only
      ['before the service shows it', true, ['ir']],
      ['after the service shows it', false, ['ir', 'kur']],
    ] as const;
    for (const [when, isBack, operations] of returns) {
      it(`ends well where the manager is killed with a certificate on trial, and is back ${when}`, async () => {
        for (const operation of operations) {
          const before = device.serials();
          const reached = device.service.hold();
          const asked = device.enrol(operation).catch((error: Error) => error.message);
          await reached;
          await device.killManager();
          if (!isBack) {
            device.service.release();
            await asked;
          }
          await device.startManager();
          assert.equal(device.ca.issued.at(-1)?.state, 'confirmed');
          assert.ok(
            !device.serials().includes(device.ca.issued.at(-1)?.certificate.serialNumber ?? ''),
          );
          device.service.release();
          if ((await asked) !== 'accepted') assert.equal(await device.enrol(), 'accepted');
          await endsWell();
          assert.notDeepEqual(device.serials(), before);
        }
      });
    }
  });
}
