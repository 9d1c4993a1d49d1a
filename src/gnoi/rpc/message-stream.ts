import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { type StatusError, statusCodes } from './status.ts';

export type StreamInput<I> =
  | { readonly kind: 'message'; readonly message: I }
  /** The client has no more messages. */
  | { readonly kind: 'half-closed' }
  /** The client cancelled, its deadline passed, or the connection broke. */
  | { readonly kind: 'broken' };

/** A stream of messages in both directions. */
export interface MessageStream<I, O> {
  /** Calls back for each input in the order in which they came. To be called at once. */
  onInput(listener: (input: StreamInput<I>) => void): void;
  send(message: O): void;
  /** Ends the call, well or with a status. */
  end(status?: StatusError): void;
}

/** In which a reset follows the end that it brings along. */
const resetMilliseconds = 50;

/** A process that got no time meanwhile has the reset in the events of its next turns, which the timer comes before. */
const resetTurns = 5;

/**
 * Tells a clean end from a break, which grpc-js does not: a reset too brings 'end' first and 'cancelled' up to 1.5 ms later, and
 * 'cancelled' comes after every call that ended well, too. Iterating over the call would lose messages in front of a reset.
 */
export function messageStream<I, O>(call: ServerDuplexStream<I, O>): MessageStream<I, O> {
  let isOver = false;
  return {
    onInput(listener) {
      const tell = (input: StreamInput<I>) => {
        if (!isOver) listener(input);
      };
      const breakOff = () => {
        tell({ kind: 'broken' });
        isOver = true;
      };
      call.on('data', (message) => tell({ kind: 'message', message }));
      call.on('cancelled', breakOff);
      call.on('error', breakOff);
      call.on('end', async () => {
        await sleep(resetMilliseconds);
        for (let turn = 0; turn < resetTurns; turn += 1) await nextTurn();
        if (!call.cancelled) tell({ kind: 'half-closed' });
      });
    },
    send(message) {
      if (!isOver && !call.cancelled) call.write(message);
    },
    end(status) {
      if (isOver) return;
      isOver = true;
      if (call.cancelled) return;
      if (status) call.emit('error', { code: statusCodes[status.status], details: status.message });
      else call.end();
    },
  };
}
