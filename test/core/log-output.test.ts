import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { boundedOutput } from '../../src/core/log-output.ts';

const notice = (lost: number) => `lost ${lost}\n`;

describe('the output of a log', () => {
  it('passes every line on', async () => {
    const reader = new PassThrough();
    const output = boundedOutput(reader, 10, notice);
    for (const line of ['one\n', 'two\n', 'three\n']) {
      output.write(line);
      await turn();
    }
    assert.equal(String(reader.read()), 'one\ntwo\nthree\n');
  });

  it('keeps no more than it may for a reader who does not read, and tells him what he missed', async () => {
    const taken: string[] = [];
    let release = () => undefined as unknown;
    const reader = new Writable({
      decodeStrings: false,
      write(line: string, _, done) {
        taken.push(line);
        release = done;
      },
    });
    const output = boundedOutput(reader, 20, notice);
    for (let at = 0; at < 100; at += 1) output.write('123456789\n');
    assert.ok(reader.writableLength <= 40, `${reader.writableLength} bytes`);
    while (reader.writableLength > 0) {
      release();
      await turn();
    }
    const read = taken.length;
    output.write('again\n');
    release();
    await turn();
    assert.deepEqual(taken.slice(read), [`lost ${100 - read}\n`, 'again\n']);
  });

  it('outlives its reader', async () => {
    const reader = new PassThrough();
    const output = boundedOutput(reader, 10, notice);
    reader.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await turn();
    output.write('nobody hears it\n');
    await turn();
    assert.ok(!output.destroyed);
  });
});
