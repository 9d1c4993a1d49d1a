import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ClientIdentityList } from '../../../src/identity/peer-certificates/client-identity-list.ts';

const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

const one = `04:${'0A:'.repeat(31)}0A`;
const two = `04:${'0B:'.repeat(31)}0B`;
const specified = (fingerprint: string, name: string) =>
  ({ fingerprint, mapType: 'specified', name }) as const;

describe('a list of client identities', () => {
  let directory: string;
  let path: string;
  const open = (certToName: readonly ReturnType<typeof specified>[] = [specified(one, 'alice')]) =>
    new ClientIdentityList(
      path,
      { clientIdentities: { certToName: [...certToName], allowWeakFingerprints: false } },
      silentLog,
    );
  const namesOf = (list: ClientIdentityList) => list.written.certToName.map(({ name }) => name);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'identities-'));
    path = join(directory, 'client-identities.json');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('begins as the configuration has it, and is kept for the next start once it is changed', async () => {
    const list = open();
    assert.deepEqual([namesOf(list), list.origin], [['alice'], 'configuration']);
    await list.add(specified(two.toLowerCase(), 'bob'), 0);
    await list.setDefault({ mapType: 'san-dirname-cn' });
    const again = open([]);
    assert.deepEqual([namesOf(again), again.origin], [['bob', 'alice'], 'run time']);
    assert.equal(again.written.certToName[0]?.fingerprint, two);
    assert.equal(again.inForce.defaultIdentity?.mapType, 'san-dirname-cn');
  });

  it('goes back to the configuration, as that is now', async () => {
    const list = open();
    await list.add(specified(two, 'bob'));
    list.configure({ clientIdentities: { certToName: [], allowWeakFingerprints: false } });
    assert.deepEqual(namesOf(list), ['alice', 'bob']);
    await list.reset();
    assert.deepEqual([namesOf(list), list.origin], [[], 'configuration']);
    assert.deepEqual(namesOf(open()), ['alice']);
  });

  it('tells who follows it of each change', async () => {
    const list = open();
    let told = 0;
    list.onChange(() => {
      told += 1;
    });
    await list.add(specified(two, 'bob'));
    await list.remove(two);
    await list.setDefault(undefined);
    await list.reset();
    assert.equal(told, 4);
  });

  const refused: Readonly<Record<string, [(list: ClientIdentityList) => Promise<void>, RegExp]>> = {
    'a bare digest, and says what to put before it': [
      (list) => list.add(specified(one.slice(3), 'bob')),
      /^Fingerprint has the 32 octets of sha256 alone: write 04: before them\.$/,
    ],
    'the fingerprint that it has, with the same map type': [
      (list) => list.add(specified(one.toLowerCase(), 'bob')),
      /would never count behind/,
    ],
    'MD5, of which pairs can be forged': [
      (list) => list.add(specified(`01:${'0A:'.repeat(15)}0A`, 'bob')),
      /^Fingerprint is of MD5/,
    ],
    'a map type that wants a name without one': [
      (list) => list.setDefault({ mapType: 'specified' }),
      /^Name is required where the map type is specified\.$/,
    ],
    'to remove what it does not have': [
      (list) => list.remove(two),
      /^No client identity has this fingerprint\.$/,
    ],
  };
  for (const [what, [change, message]] of Object.entries(refused)) {
    it(`refuses ${what}, and stays as it is`, async () => {
      const list = open();
      await assert.rejects(change(list), { name: 'CertError', message });
      assert.deepEqual([namesOf(list), list.origin], [['alice'], 'configuration']);
    });
  }

  it('refuses to start with a file that holds something else, which could let in others', () => {
    writeFileSync(path, '{"certToName": "all"}');
    assert.throws(() => open(), /does not hold client identities/);
  });
});
