import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../src/platform/configuration.ts';
import { followConfiguration } from '../../src/platform/configuration-reload.ts';
import { scratchDirectory } from '../storage/scratch.ts';

const directory = scratchDirectory();

describe('a configuration that is read again', () => {
  /** A program whose configuration is put in force, or half of it, as the test says. */
  const program = (text: string) => {
    const file = join(directory(), 'configuration.json');
    const outcomes: (Error | undefined)[] = [];
    const asked: string[] = [];
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const configuration = parseConfiguration(text, file);
    const from = { source: file, text };
    const about = { program: 'certificate-manager', file, from, configuration, log } as const;
    const reload = followConfiguration(about, async (_next, { text }) => async () => {
      asked.push(text);
      const outcome = outcomes.shift();
      if (outcome) throw outcome;
    });
    const read = async (next: string, outcome?: Error) => {
      writeFileSync(file, next);
      outcomes.push(outcome);
      asked.length = 0;
      await reload();
      outcomes.length = 0;
      return asked.length;
    };
    return { read };
  };
  const text = (days: number) => JSON.stringify({ expiry: { thresholdDays: [days] } });

  it('is put in force once', async () => {
    const { read } = program(text(1));
    assert.equal(await read(text(1)), 0);
    assert.equal(await read(text(2)), 1);
    assert.equal(await read(text(2)), 0);
  });

  it('and was not wholly put in force is tried again, and so is the one before it', async () => {
    const { read } = program(text(1));
    for (const days of [2, 2, 1, 1]) assert.equal(await read(text(days), new Error('half')), 1);
    assert.equal(await read(text(1)), 1);
    assert.equal(await read(text(1)), 0);
  });
});
