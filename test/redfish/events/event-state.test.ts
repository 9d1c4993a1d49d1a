import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { nextEpoch } from '../../../src/redfish/events/event-buffer.ts';
import { openEventState } from '../../../src/redfish/events/event-state.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { eventSettings, makeTestParts, startService } from '../service.ts';
import { eventually, ManualClock } from './manual-clock.ts';

const collection = '/redfish/v1/EventService/Subscriptions';
const accounts = '/redfish/v1/AccountService/Accounts';
const eventService = '/redfish/v1/EventService';

describe('the file of the event service', () => {
  const root = mkdtempSync(join(tmpdir(), 'events-'));
  let directory = root;
  let path = '';
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'state-'));
    path = join(directory, 'events.json');
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const logged: string[] = [];
  afterEach(() => logged.splice(0));
  const note = (message: string, fields: object = {}) => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const open = (now = Date.UTC(2026, 0, 1)) => openEventState(path, { log, now });

  const damages = ['', 'junk', '{}', '{"epoch": -1, "subscriptions": []}', '{"subscriptions": []}'];
  for (const text of damages) {
    it(`is put aside when it is damaged: ${JSON.stringify(text)}`, async () => {
      writeFileSync(path, text, { mode: 0o600 });
      const file = await open();
      assert.deepEqual(file.value.subscriptions, []);
      assert.equal(readFileSync(`${path}.bad`, 'utf8'), text);
      assert.equal(statSync(`${path}.bad`).mode & 0o777, 0o600);
      assert.match(logged.join('\n'), /all event subscriptions are lost/);
      await open();
      assert.equal(logged.filter((line) => line.includes('lost')).length, 1);
    });
  }

  it('tells nothing of what stands in a damaged file, which may be secret', async () => {
    writeFileSync(path, '{"headers": [{"name": "Authorization", "value": "very-secret"}]}');
    await open();
    assert.doesNotMatch(logged.join('\n'), /secret/);
  });

  it('keeps no service from starting when it cannot even be put aside', async () => {
    mkdirSync(path);
    mkdirSync(join(`${path}.bad`, 'full'), { recursive: true });
    assert.deepEqual((await open()).value.subscriptions, []);
    assert.match(logged.join('\n'), /damaged state of events stays/);
  });

  it('keeps what it has when a change fails', async () => {
    const file = await open();
    await file.change((state) => ({ ...state, epoch: 5 }));
    const failing = file.change(() => {
      throw new Error('no');
    });
    const next = file.change((state) => ({ ...state, epoch: state.epoch + 1 }));
    await assert.rejects(failing, /no/);
    assert.equal((await next).epoch, 6);
  });

  it('keeps what a client has set, and what nobody set follows the configuration', async () => {
    const first = await makeTestParts(directory, { events: { retryAttempts: 3 } });
    first.events.close();
    const expected = { retryAttempts: 50, retryIntervalSeconds: 5 };
    const second = await makeTestParts(directory, { events: expected });
    const { enabled, retryAttempts, retryIntervalSeconds } = second.events.state();
    assert.deepEqual(
      { enabled, retryAttempts, retryIntervalSeconds },
      { enabled: true, ...expected },
    );
    await second.events.change({ retryAttempts: 7, enabled: false });
    second.events.close();
    const third = await makeTestParts(directory, { events: { retryIntervalSeconds: 9 } });
    const state = third.events.state();
    third.events.close();
    assert.deepEqual(
      [state.enabled, state.retryAttempts, state.retryIntervalSeconds],
      [false, 7, 9],
    );
  });

  it('does not stop a service whose disk cannot be written, and ids go on there all the same', async () => {
    // A file where the directory should be stops root, too
    const blocked = join(directory, 'blocked');
    writeFileSync(blocked, '');
    path = join(blocked, 'events.json');
    const first = await open(Date.UTC(2026, 0, 1));
    const second = await open(Date.UTC(2026, 0, 1) + 1000);
    assert.ok(second.value.epoch > first.value.epoch);
    assert.match(logged.join('\n'), /state of events cannot be written/);
    await assert.rejects(first.change((state) => state));
  });

  it('is written by the next change once the disk can be written again', async () => {
    const blocked = join(directory, 'blocked');
    writeFileSync(blocked, '');
    path = join(blocked, 'events.json');
    const file = await open();
    rmSync(blocked);
    await file.change((state) => ({ ...state, retryAttempts: 1 }));
    const { epoch, retryAttempts } = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual({ epoch, retryAttempts }, { epoch: file.value.epoch, retryAttempts: 1 });
  });

  describe('that the disk does not read at the start', () => {
    const subscription = { Destination: 'http://127.0.0.1:1/', Protocol: 'Redfish' };
    const ofNobody = JSON.stringify({ epoch: 8e15, enabled: false, subscriptions: [] });
    // Reading it fails as on a bad block
    const breakDisk = () => {
      renameSync(path, `${path}.aside`);
      symlinkSync('/proc/self/mem', path);
    };
    const mendDisk = () => renameSync(`${path}.aside`, path);

    it('is neither put aside nor written over', async () => {
      writeFileSync(path, ofNobody);
      breakDisk();
      const file = await open();
      assert.match(logged.join('\n'), /cannot be read now/);
      await assert.rejects(
        file.change((state) => ({ ...state, enabled: true })),
        { name: 'SetupError', message: /cannot be read/ },
      );
      await assert.rejects(
        file.during(async () => undefined),
        /cannot be read/,
      );
      mendDisk();
      assert.equal(readFileSync(path, 'utf8'), ofNobody);
      assert.equal(existsSync(`${path}.bad`), false);
    });

    it('counts from the first change after it could be read', async () => {
      writeFileSync(path, ofNobody);
      breakDisk();
      const file = await open();
      const { epoch } = file.value;
      mendDisk();
      const after = await file.change((state) => ({ ...state, retryAttempts: 9 }));
      assert.equal(after.enabled, false);
      assert.ok(after.epoch >= epoch && after.epoch > 8e15);
      assert.equal(JSON.parse(readFileSync(path, 'utf8')).enabled, false);
    });

    it('keeps its subscriptions, which get events again, and no namesake gets them', async () => {
      const first = await startService({ directory });
      await first.accounts.setPassword('operator', 'Operator', 'operator-pw');
      for (const as of ['admin:admin-pw', 'operator:operator-pw']) {
        const { status } = await first.ask('POST', collection, { body: subscription, as });
        assert.equal(status, 201);
      }
      await first.events.close();
      // By another edge, of which this service hears nothing
      await accountsAt(join(directory, 'accounts.json')).changes.remove('operator');
      breakDisk();
      const second = await startService({ directory });
      const { events } = second;
      const owners = () => events.subscriptions.list().map(({ owner }) => owner);
      const user = { UserName: 'operator', Password: 'another-pw', RoleId: 'Operator' };
      const create = () => second.ask('POST', accounts, { body: user });
      assert.deepEqual(owners(), []);
      assert.equal((await create()).status, 503);
      mendDisk();
      assert.equal((await create()).status, 201);
      assert.deepEqual(owners(), ['admin']);
      events.publish({ messageId: 'Base.1.0.Success', eventType: 'Other' });
      const [{ id = '' } = {}] = events.subscriptions.list();
      await eventually('a delivery fails', () => events.subscriptions.isFailing(id));
      await second.close();
      await first.close();
    });
  });

  it('lets the service come up over a damaged one, and takes subscriptions then', async () => {
    writeFileSync(path, 'junk');
    const service = await startService({ directory });
    const body = { Destination: 'http://127.0.0.1:1/', Protocol: 'Redfish' };
    assert.equal((await service.ask('POST', collection, { body })).status, 201);
    const { text } = await service.ask('GET', eventService);
    const { DeliveryRetryAttempts } = JSON.parse(text);
    assert.equal(DeliveryRetryAttempts, eventSettings.retryAttempts);
    assert.ok(existsSync(`${path}.bad`));
    await service.close();
  });
});

describe('the ids of events', () => {
  const now = Date.UTC(2026, 0, 1);
  const byClock = now * 1000;
  const highest = Number.MAX_SAFE_INTEGER;
  const starts: readonly (readonly [string, number, number, number])[] = [
    ['begin with the clock', 0, now, byClock],
    ['go on with the clock after a start long ago', byClock - 1, now + 5_000_000, byClock + 5e9],
    ['pass those of the last start when the clock was set back', byClock, 1000, byClock + 1e9],
    ['pass those of the last start at a quick restart', byClock, now + 1, byClock + 1e9],
    ['have room without a clock', 0, -5, 1e9],
    ['begin anew when there is no room left', highest, now, byClock],
    ['go on by count when the clock leaves no room', byClock, 8.64e15, byClock + 1e9],
    ['begin at nothing when neither leaves room', highest, 8.64e15, 0],
  ];
  for (const [what, last, clock, expected] of starts) {
    it(what, () => assert.equal(nextEpoch(last, clock), expected));
  }

  it('never go back over restarts, whatever the file counted before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'epoch-'));
    const clock = new ManualClock();
    const path = join(directory, 'events.json');
    writeFileSync(path, '{"epoch": 1000000, "subscriptions": []}');
    let last = 0;
    for (let start = 0; start < 3; start += 1) {
      const { events } = await makeTestParts(directory, { clock });
      events.publish({ messageId: 'Base.1.0.Success', eventType: 'Other' });
      const id = events.after(String(JSON.parse(readFileSync(path, 'utf8')).epoch))[0]?.id ?? 0;
      assert.ok(id > last && Number.isSafeInteger(id));
      last = id;
      events.close();
      clock.set(1000);
    }
    rmSync(directory, { recursive: true });
  });
});
