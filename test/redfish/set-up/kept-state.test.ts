import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Audit } from '../../../src/core/audit.ts';
import { guardSystemUsers } from '../../../src/identity/configured-users.ts';
import { parseConfiguration } from '../../../src/platform/configuration.ts';
import { SessionFile } from '../../../src/redfish/sessions/session-file.ts';
import { Sessions } from '../../../src/redfish/sessions/sessions.ts';
import { type ReadyAccess, setUpAccess } from '../../../src/redfish/set-up/access.ts';
import { accountsAt, guarded } from '../../fakes/accounts.ts';
import { MemoryClient } from '../../fakes/memory-client.ts';

const root = {
  name: 'admin',
  privilege: 'priv-admin',
  groups: ['redfish', 'web'],
  enabled: true,
  locked: false,
  passwordExpired: false,
  remote: false,
};
const refuse = async () => {
  throw new Error('nobody asks for it');
};
const unused = {
  create: refuse,
  set: refuse,
  rename: refuse,
  remove: refuse,
  policy: refuse,
  setPolicy: refuse,
};

let directory: string;
let lines: string[];
const note = (message: string) => lines.push(message);
const log = { debug: note, info: note, warn: note, error: note };
const audit = new Audit(log);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kept-'));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const inState = (name: string) => join(directory, name);

function start(users: object): ReadyAccess {
  const document = { stateDirectory: directory, users, redfish: { directory: '.' } };
  const configuration = parseConfiguration(JSON.stringify(document), 'test');
  const system = { isThere: true, list: async () => [root], find: async () => root, ...unused };
  return setUpAccess({
    ...{ configuration, audit, log },
    client: new MemoryClient(),
    users:
      configuration.users.source === 'bus'
        ? guardSystemUsers(configuration, system, audit, log)
        : guarded(accountsAt(inState('accounts.json')), { audit }),
    hostName: () => 'bmc',
  });
}

describe('kept sessions', () => {
  it('end when the configuration says that other users count, also those in the file', async () => {
    const before = start({ source: 'file' });
    const { token } = before.access.sessions.create({ userName: 'admin', address: '' });
    await before.close();
    const after = start({ source: 'bus', passwordHelper: '/bin/false' });
    assert.equal(after.access.sessions.find(token), undefined);
    await after.close();
    assert.ok(!readFileSync(inState('sessions.json'), 'utf8').includes('admin'));
    assert.equal(readFileSync(inState('users-source'), 'utf8'), 'bus\n');
  });

  it('end at the next start, too, when a crash came before the record of whose users count', async () => {
    const before = start({ source: 'file' });
    const { token } = before.access.sessions.create({ userName: 'admin', address: '' });
    await before.close();
    const kept = readFileSync(inState('sessions.json'), 'utf8');
    await start({ source: 'bus', passwordHelper: '/bin/false' }).close();
    // As a crash before the record was written, and before the sessions were
    rmSync(inState('users-source'));
    writeFileSync(inState('sessions.json'), kept);
    const again = start({ source: 'bus', passwordHelper: '/bin/false' });
    assert.equal(again.access.sessions.find(token), undefined);
    await again.close();
  });

  it('go on while the same users count, but those of users who are gone', async () => {
    const accounts = accountsAt(inState('accounts.json'));
    await accounts.setPassword('admin', 'Administrator', 'admin-pw');
    const before = start({ source: 'file' });
    const { token } = before.access.sessions.create({ userName: 'admin', address: '' });
    const gone = before.access.sessions.create({ userName: 'gone', address: '' });
    await before.close();
    const after = start({ source: 'file' });
    await after.settle();
    assert.equal(after.access.sessions.find(token)?.userName, 'admin');
    assert.equal(after.access.sessions.find(gone.token), undefined);
    assert.ok(!readFileSync(inState('sessions.json'), 'utf8').includes('gone'));
    await after.close();
  });

  it('that could not be read are not what a later start finds', async () => {
    writeFileSync(inState('sessions.json'), '{"sess');
    const { access, close } = start({ source: 'file' });
    // Whatever stands there again, the disk may not have removed it
    writeFileSync(inState('sessions.json'), 'old');
    await access.sessions.ended();
    assert.deepEqual(JSON.parse(readFileSync(inState('sessions.json'), 'utf8')).sessions, []);
    await close();
  });

  it('are over on the disk, too, when a client is told so', async () => {
    const { access, close } = start({ source: 'file' });
    access.sessions.create({ userName: 'admin', address: '' });
    const { session } = access.sessions.create({ userName: 'operator', address: '' });
    await access.sessions.ended();
    assert.ok(readFileSync(inState('sessions.json'), 'utf8').includes('operator'));
    access.sessions.end(session.id);
    await access.sessions.ended();
    assert.ok(!readFileSync(inState('sessions.json'), 'utf8').includes('operator'));
    await close();
  });

  const damages: Record<string, (path: string) => void> = {
    'holds no JSON': (path) => writeFileSync(path, '{"sess'),
    'holds something else': (path) => writeFileSync(path, '{"sessions":[{}]}'),
    'is empty': (path) => writeFileSync(path, ''),
    'is a directory': (path) => mkdirSync(path),
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`do not keep the service from starting when their file ${what}`, async () => {
      damage(inState('sessions.json'));
      const { access, close } = start({ source: 'file' });
      access.sessions.create({ userName: 'admin', address: '' });
      await close();
      assert.ok(statSync(inState('sessions.json')).isFile());
      assert.equal(lines.filter((line) => line.includes('cannot be read')).length, 1);
      assert.ok(!lines.some((line) => line.includes('could not be')));
    });
  }

  it('are not written anew when they were merely used, until enough time is over', async () => {
    const path = inState('sessions.json');
    const limits = { sessions: 3, perUser: 3, idleMilliseconds: () => 1e9 };
    const sessions = new Sessions(limits, () => 0);
    const file = new SessionFile(path, sessions, 1000);
    const writes = async (at: number, everything = false) => {
      const inode = existsSync(path) ? statSync(path).ino : undefined;
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      await file.save({ at, everything });
      if (!existsSync(path)) return false;
      return statSync(path).ino !== inode || readFileSync(path, 'utf8') !== text;
    };
    assert.equal(await writes(5000), false);
    const { session } = sessions.create({ userName: 'admin', address: '' });
    assert.equal(await writes(5000), true);
    assert.equal(await writes(5999), false);
    assert.equal(await writes(6000), true);
    assert.equal(await writes(6001, true), true);
    sessions.create({ userName: 'admin', address: '' });
    assert.equal(await writes(6002), true);
    sessions.end(session.id);
    assert.equal(await writes(6003), true);
    assert.equal(await writes(5000), true, 'the clock was set back');
    sessions.endAll();
    assert.equal(await writes(5001), true);
    assert.equal(await writes(9000), false);
  });
});
