import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { EnrolmentRefusal } from '../../src/dbus/enrolment/enrolment-client.ts';
import { encode } from '../../src/x509/der.ts';
import { subjectAltName } from '../../src/x509/extensions.ts';
import { writeName } from '../../src/x509/name.ts';
import type { Misbehaviour } from '../fakes/cmp-authority.ts';
import {
  type AgentChanges,
  type EnrollingDevice,
  enrollingDevice,
} from '../fakes/enrolling-device.ts';
import { until } from './commands.ts';

const otherKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey;
const someone = encode(writeName([{ type: 'CN', value: 'someone' }]));

describe('enrolment that a CA, or somebody on the way, leads astray', () => {
  let device: EnrollingDevice;
  let serials: readonly string[];
  before(async () => {
    device = await enrollingDevice('configuration');
    await device.startAgent();
    device.ca.misbehaves = {
      onTheWay(answer) {
        recorded.push(answer);
        return answer;
      },
    };
    assert.equal(await device.enrol('ir'), 'accepted');
    serials = device.serials();
  });
  after(() => device.stop());
  beforeEach(() => {
    device.ca.misbehaves = {};
  });
  afterEach(async () => {
    await device.abort();
  });

  /** Nothing came into service, and nothing will. */
  const refuses = async (layer: string, message: RegExp, operation = 'ir') => {
    await assert.rejects(device.enrol(operation), (error) => {
      assert.ok(error instanceof EnrolmentRefusal, String(error));
      assert.equal(error.layer, layer, error.message);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(device.serials(), serials);
    const { lastRequest } = device.journal();
    assert.equal(lastRequest?.status, 'failed');
    assert.equal(lastRequest?.layer, layer);
    assert.ok(!device.output().includes('correct horse'));
  };

  const recorded: Buffer[] = [];
  const answers: [string, Misbehaviour, string, RegExp][] = [
    ['has another password', { secret: 'wrong' }, 'protection', /password of reference 1/],
    [
      'issues the certificate for another key',
      { publicKey: otherKey.export({ type: 'spki', format: 'der' }) },
      'certificate',
      /for another key than the requested one/,
    ],
    [
      'issues the certificate to another subject',
      { subject: someone },
      'certificate',
      /its subject is CN=someone instead of CN=bmc/,
    ],
    [
      'changes a name',
      { extensions: [subjectAltName([{ kind: 'dns', value: 'bmc.example.org' }])] },
      'certificate',
      /lacks the name dns:bmc.example.com; it has dns:bmc.example.org/,
    ],
    [
      'sends half an answer',
      { onTheWay: (answer) => answer.subarray(0, answer.length / 2) },
      'encoding',
      /no message of CMP in DER/,
    ],
    [
      'sends an answer of before again',
      { onTheWay: () => recorded[0] ?? Buffer.of() },
      'header',
      /belongs to another transaction/,
    ],
    ['refuses', { rejects: [19] }, 'ca', /not today \(badCertTemplate\)/],
    ['sends a web page', { onTheWay: () => Buffer.from('<html>') }, 'encoding', /in DER/],
  ];
  for (const [what, misbehaviour, layer, message] of answers) {
    it(`fails at ${layer} where the CA ${what}, and leaves what is in service`, async () => {
      device.ca.misbehaves = misbehaviour;
      await refuses(layer, message);
      if (layer === 'certificate') assert.equal(device.ca.issued.at(-1)?.state, 'refused');
    });
  }

  const profiles: [string, AgentChanges, string, RegExp][] = [
    [
      'has no certificate here',
      { authority: { endpoint: 'nobody', endpointOrigin: 'run-time' } },
      'configuration',
      /authority\/nobody is empty/,
    ],
    [
      'is away',
      { authority: { url: 'https://127.0.0.1:1/' } },
      'transport',
      /cannot be reached: .*ECONNREFUSED/,
    ],
    [
      'has no password here',
      { authority: { keyList: [{ reference: '1', passwordFile: 'nothing' }] } },
      'configuration',
      /password file of reference 1 .* cannot be read/,
    ],
  ];
  for (const [what, changes, layer, message] of profiles) {
    it(`fails at ${layer} where the CA ${what}, and does well as soon as it is put right`, async () => {
      await device.reconfigure(changes);
      await refuses(layer, message);
      await device.reconfigure({});
      assert.equal(await device.enrol('ir'), 'accepted');
      assert.notDeepEqual(device.serials(), serials);
      serials = device.serials();
    });
  }

  it('warns of the end in the line that operators look for', async () => {
    await device.reconfigure({ certificate: { warning: { hours: 48 } } });
    const line =
      /\bCertificate bmc used by TLS will expire in 2[34] hour\(s\) and \d+ minute\(s\)\./;
    await until('the warning', () => line.test(device.output()));
  });

  it('asks for what a configuration says that was read again, and a bad one changes nothing', async () => {
    await device.reconfigure({ certificate: { names: ['DNS:next.example.com'] } });
    assert.equal(await device.enrol('kur'), 'accepted');
    const issued = device.ca.issued.at(-1)?.certificate;
    assert.deepEqual(issued?.alternativeNames, [{ kind: 'dns', value: 'next.example.com' }]);
    serials = device.serials();
    await device.misconfigure({ certificate: { authority: 'nobody' } });
    assert.equal(await device.enrol('kur'), 'accepted');
    assert.notDeepEqual(device.serials(), serials);
  });
});
