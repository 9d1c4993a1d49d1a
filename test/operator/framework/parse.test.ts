import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runSample } from './sample-program.ts';

const absent = { room: undefined, json: false, help: false, version: false };

describe('a command line', () => {
  it('gives arguments and options as the command declares them', async () => {
    const words = ['paint', 'wall', 'a', 'b', '--brush=wide', '-n', '3', '--label', 'x', '--dry'];
    const { status, calls } = await runSample([...words, '--label', 'y', '--colour', 'blue']);
    assert.equal(status, 0);
    const options = { colour: 'blue', coats: 3, brush: 'wide', label: ['x', 'y'], dry: true };
    const args = { thing: 'wall', others: ['a', 'b'] };
    assert.deepEqual(calls, [{ args, options: { ...absent, ...options } }]);
  });

  it('has what is not given as its default, or not at all', async () => {
    const { calls } = await runSample(['paint', 'wall', '--brush', 'wide']);
    const options = { colour: 'red', coats: undefined, brush: 'wide', label: [], dry: false };
    const args = { thing: 'wall', others: [] };
    assert.deepEqual(calls, [{ args, options: { ...absent, ...options } }]);
  });

  it('may have options of every command before the command, too', async () => {
    const { calls } = await runSample(['--room', 'hall', 'paint', 'wall', '--brush', 'wide']);
    assert.match(JSON.stringify(calls), /"room":"hall"/);
  });

  it('takes what follows -- for arguments', async () => {
    const { calls, out } = await runSample(['paint', '--brush', 'wide', '--', '--help']);
    assert.match(JSON.stringify(calls), /"thing":"--help"/);
    assert.doesNotMatch(out, /Usage/);
  });

  const bad: readonly (readonly [words: string, says: string])[] = [
    ['fly', 'There is no command fly; see things --help.'],
    ['fly --help', 'There is no command fly; see things --help.'],
    ['help fly', 'There is no command fly; see things --help.'],
    ['--help shelf burn', 'There is no shelf burn; the commands are shelf follow, shelf drop.'],
    ['shelf', 'shelf is not complete; the commands are shelf follow, shelf drop.'],
    ['shelf burn', 'There is no shelf burn; the commands are shelf follow, shelf drop.'],
    ['paint', '--brush is missing; see things paint --help.'],
    ['paint --brush wide', 'THING is missing; see things paint --help.'],
    ['list more', '"more" is one argument too many; see things list --help.'],
    [
      'list --size 3',
      "The command line is not valid: Unknown option '--size'; see things list --help.",
    ],
    [
      'paint x --brush',
      "The command line is not valid: Option '--brush <value>' argument missing; see things paint --help.",
    ],
    [
      'paint x --brush --dry',
      "The command line is not valid: Option '--brush' argument is ambiguous; see things paint --help.",
    ],
    ['paint x --brush y --coats many', '--coats: N is a whole number from 1 to 9, not "many".'],
    ['paint x --brush y -n 10', '--coats: N is a whole number from 1 to 9, not "10".'],
    ['paint x --brush y --colour green', '--colour: COLOUR is red, blue, not "green".'],
  ];
  for (const [words, says] of bad) {
    it(`"${words}" is refused with a sentence and status 2`, async () => {
      const { status, out, err, calls } = await runSample(words.split(' '));
      assert.deepEqual(
        { status, out, err, calls },
        { status: 2, out: '', err: `${says}\n`, calls: [] },
      );
    });
  }

  it('is refused with a JSON document where JSON is asked for', async () => {
    const { status, out, err } = await runSample(['fly', '--json']);
    assert.equal(status, 2);
    assert.equal(out, '');
    const message = 'There is no command fly; see things --help.';
    assert.deepEqual(JSON.parse(err), { error: 'usage', status: 2, message });
  });
});
