import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { SetupError } from '../../../src/core/setup-error.ts';
import { storageAnswer } from '../../../src/redfish/http/storage-answer.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { startService, type TestService } from '../service.ts';

const wanted = { SessionTimeout: 90 };
const uri = '/redfish/v1/SessionService';

describe('a change that the disk of the service does not take', () => {
  let service: TestService;
  let heal: () => void = () => undefined;

  before(async () => {
    service = await startService();
  });
  afterEach(() => heal());
  after(() => service.close());

  const rows = [
    ...['ENOSPC', 'EDQUOT'].map((code) => ({ code, status: 507 })),
    ...['EROFS', 'EIO', 'EACCES'].map((code) => ({ code, status: 500 })),
    ...['EMFILE', 'ENFILE'].map((code) => ({ code, status: 503 })),
  ];
  for (const { code, status } of rows) {
    it(`is refused with the reason, and nothing changed: ${code}`, async () => {
      heal = onDisk('open', () => () => Promise.reject(diskError(code)));
      const answer = await service.ask('PATCH', uri, { body: wanted });
      assert.equal(answer.status, status, answer.text);
      assert.match(
        answer.text,
        new RegExp(`storage${status === 507 ? '-full' : ''}: .*\\(${code}\\)`),
      );
      assert.doesNotMatch(answer.text, /settings\.json/);
      assert.equal(answer.headers['retry-after'], status === 503 ? '5' : undefined);
      heal();
      assert.equal(JSON.parse((await service.ask('GET', uri)).text).SessionTimeout, 60);
      assert.match(service.log.at(-1) ?? '', new RegExp(code));
    });
  }

  it('may be asked for again where a file could not be read', () => {
    const unread = new SetupError('The file cannot be read.', { cause: diskError('EIO') });
    assert.equal(storageAnswer(unread)?.status, 503);
    assert.equal(storageAnswer(unread)?.headers['Retry-After'], '60');
  });

  it('is another thing than a bug, or a network that fails', () => {
    for (const error of [new TypeError('x'), diskError('ECONNREFUSED'), 'text', undefined]) {
      assert.equal(storageAnswer(error), undefined);
    }
    assert.equal(storageAnswer(new SetupError('The file does not hold settings.')), undefined);
  });
});
