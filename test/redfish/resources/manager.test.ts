import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';

const manager = '/redfish/v1/Managers/bmc';

describe('the manager', () => {
  let service: TestService;
  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  async function read(path: string, of = service, as = 'admin:admin-pw') {
    const { status, text } = await of.ask('GET', path, { as });
    assert.equal(status, 200, text);
    return JSON.parse(text);
  }

  const patch = (body: object, more: object = {}) =>
    service.ask('PATCH', manager, { body, ...more });

  it('tells its firmware and when it last booted', async () => {
    const { FirmwareVersion, LastResetTime, ServiceIdentification } = await read(manager);
    assert.equal(FirmwareVersion, '1.2.3');
    assert.equal(LastResetTime, '2026-01-01T00:00:00+00:00');
    assert.equal(ServiceIdentification, '');
  });

  const texts = ['Rack 12 / 3, left', 'Größe-7', '機架', '🂡'.repeat(99), 'a'];
  for (const text of texts) {
    it(`is identified as ${text.slice(0, 20)} in the service root, too, and without a login`, async () => {
      const { status, text: answer } = await patch({ ServiceIdentification: text });
      assert.equal(status, 200, answer);
      assert.equal(JSON.parse(answer).ServiceIdentification, text);
      assert.equal((await read(manager)).ServiceIdentification, text);
      assert.equal((await read('/redfish/v1', service, '')).ServiceIdentification, text);
    });
  }

  const bad: readonly unknown[] = [
    ...[
      'x'.repeat(100),
      'two\nlines',
      'tab\t',
      'nul\0',
      'turned\u202e',
      'half\ud800',
      'zero\u200b',
    ],
    ...[7, true, ['x'], { x: 1 }],
  ];
  for (const value of bad) {
    it(`refuses to be identified as ${JSON.stringify(value).slice(0, 30)}`, async () => {
      await patch({ ServiceIdentification: 'before' });
      const { status, text } = await patch({ ServiceIdentification: value });
      assert.equal(status, 400, text);
      const [info] = JSON.parse(text).error['@Message.ExtendedInfo'];
      assert.deepEqual(info.RelatedProperties, ['#/ServiceIdentification']);
      assert.equal((await read(manager)).ServiceIdentification, 'before');
    });
  }

  for (const nothing of ['', null]) {
    it(`has no identification any more after ${JSON.stringify(nothing)}`, async () => {
      await patch({ ServiceIdentification: 'before' });
      assert.equal((await patch({ ServiceIdentification: nothing })).status, 200);
      assert.equal((await read(manager)).ServiceIdentification, '');
      assert.ok(!('ServiceIdentification' in (await read('/redfish/v1'))));
    });
  }

  it('names every member that is for reading only, and changes nothing', async () => {
    const body = { FirmwareVersion: '9', LastResetTime: 'x', Id: 'x', ServiceIdentification: 'y' };
    const { status, text } = await patch(body);
    assert.equal(status, 400);
    const related = JSON.parse(text).error['@Message.ExtendedInfo'].map(
      (info: { MessageId: string; RelatedProperties: string[] }) =>
        `${info.MessageId.split('.').at(-1)} ${info.RelatedProperties}`,
    );
    assert.deepEqual(related.sort(), [
      'PropertyNotWritable #/FirmwareVersion',
      'PropertyNotWritable #/Id',
      'PropertyNotWritable #/LastResetTime',
    ]);
    assert.notEqual((await read(manager)).ServiceIdentification, 'y');
  });

  it('is changed with its ETag, once', async () => {
    const { headers } = await service.ask('GET', manager);
    const ifMatch = { headers: { 'If-Match': String(headers.etag) } };
    assert.equal((await patch({ ServiceIdentification: 'first' }, ifMatch)).status, 200);
    assert.equal((await patch({ ServiceIdentification: 'second' }, ifMatch)).status, 412);
  });

  it('is changed only by who may configure the manager', async () => {
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
    for (const as of ['operator:operator-pw', 'reader:reader-pw']) {
      assert.equal((await patch({ ServiceIdentification: 'x' }, { as })).status, 403);
    }
    assert.equal((await patch({ ServiceIdentification: 'x' }, { as: '' })).status, 401);
    assert.equal((await service.ask('GET', manager)).headers.allow, 'GET, HEAD, PATCH');
  });

  describe('that starts again', () => {
    const directory = mkdtempSync(join(tmpdir(), 'manager-'));
    after(() => rmSync(directory, { recursive: true, force: true }));

    it('is identified as before', async () => {
      const first = await startService({ directory });
      const body = { ServiceIdentification: 'kept' };
      assert.equal((await first.ask('PATCH', manager, { body })).status, 200);
      await first.parts.events.close();
      const second = await startService({ directory });
      try {
        assert.equal((await read(manager, second)).ServiceIdentification, 'kept');
      } finally {
        await second.close();
      }
      await first.close();
    });

    it('comes up with a damaged file, which the next change replaces', async () => {
      const damaged = mkdtempSync(join(tmpdir(), 'manager-'));
      writeFileSync(join(damaged, 'manager-settings.json'), '{"serviceIdentification": 7}');
      const again = await startService({ directory: damaged });
      try {
        assert.equal((await read(manager, again)).ServiceIdentification, '');
        assert.match(again.log.join('\n'), /ServiceIdentification is empty/);
        const body = { ServiceIdentification: 'new' };
        assert.equal((await again.ask('PATCH', manager, { body })).status, 200);
      } finally {
        await again.close();
      }
    });
  });
});
