import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { messageStream } from '../../src/gnoi/rpc/message-stream.ts';

describe('a stream of messages', () => {
  for (const [isReset, told] of [
    [true, 'broken'],
    [false, 'half-closed'],
  ] as const) {
    it(`is ${told} after an end ${isReset ? 'with' : 'without'} a reset, in a process that gets no time`, async () => {
      const call = Object.assign(new EventEmitter(), { cancelled: false });
      const stream = messageStream(call as unknown as ServerDuplexStream<string, string>);
      const first = new Promise((resolve) => stream.onInput(({ kind }) => resolve(kind)));
      call.emit('end');
      const cancel = () => {
        call.cancelled = true;
        call.emit('cancelled');
      };
      // As grpc-js: not in the turn of the end, but in one of the next
      if (isReset) setImmediate(() => setImmediate(cancel));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      assert.equal(await first, told);
    });
  }
});
