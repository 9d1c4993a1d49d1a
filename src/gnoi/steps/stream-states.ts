import type { StatusName } from '../rpc/status.ts';

export type Operation = 'install' | 'rotate';

/**
 * How clients may spread the steps of an operation. `strict`: over one stream, as the contract has it. `junos`: a stream that
 * its client closes in good order may leave its key, or its rotation, to the next stream of the same user.
 */
export type StreamProfile = 'strict' | 'junos';

/** What a stream holds, and no other stream or user may have. */
export type StreamState =
  | { readonly at: 'idle' }
  /** A key waits for its certificate. */
  | { readonly at: 'requested'; readonly id: string }
  /** A rotation is in service and on trial. */
  | { readonly at: 'testing'; readonly id: string }
  | { readonly at: 'ended' };

export type StreamEvent =
  | { readonly kind: 'generate'; readonly id: string }
  | { readonly kind: 'load'; readonly id: string; readonly hasKey: boolean }
  | { readonly kind: 'finalize' }
  /** A message without any of them. */
  | { readonly kind: 'empty' }
  /** The client has no more messages. */
  | { readonly kind: 'half-closed' }
  /** The client cancelled, its deadline passed, or the connection broke. */
  | { readonly kind: 'broken' }
  /** The client took too long over its next message. */
  | { readonly kind: 'time-up' }
  /** The rotation was undone elsewhere: its time was up, an operator did, or the manager ended. */
  | { readonly kind: 'undone' }
  /** An action of the event before failed, and nothing of it is left. */
  | { readonly kind: 'failed' };

export type StreamAction =
  | { readonly do: 'request'; readonly id: string }
  | { readonly do: 'load'; readonly id: string; readonly isTrial: boolean }
  | { readonly do: 'commit'; readonly id: string }
  | { readonly do: 'discard' | 'roll back'; readonly id: string }
  /** Leaves a key, or a rotation on trial, to a later stream. */
  | { readonly do: 'park'; readonly id: string; readonly what: 'key' | 'trial' };

export interface Ending {
  readonly status: StatusName;
  readonly details: string;
}

export interface Decision {
  readonly action?: StreamAction;
  /** Where the stream stands once the action is done; a failed action leaves it where it was. */
  readonly next: StreamState;
  /** Ends the stream after the action; `silently` where the client is gone, or the status is that of what failed. */
  readonly end?: 'ok' | 'silently' | Ending;
}

interface StreamKind {
  readonly operation: Operation;
  readonly profile: StreamProfile;
}

/** What other streams of the same user have left. */
export interface Parked {
  /** Ids whose keys wait for a certificate. */
  readonly keys: readonly string[];
  /** Ids of rotations on trial. */
  readonly trials: readonly string[];
}

/** What a stream takes over of what others left, before it looks at its first message. */
export function adopt(
  state: StreamState,
  event: StreamEvent,
  { operation, profile }: StreamKind,
  { keys, trials }: Parked,
): StreamState {
  if (state.at !== 'idle' || profile === 'strict') return state;
  const [only, ...others] = trials;
  if (event.kind === 'load' && !event.hasKey && keys.includes(event.id))
    return { at: 'requested', id: event.id };
  if (
    event.kind === 'finalize' &&
    operation === 'rotate' &&
    only !== undefined &&
    others.length === 0
  )
    return { at: 'testing', id: only };
  return state;
}

/** What an event does to a stream. Pure: the tests go through all of it. */
export function decide(state: StreamState, event: StreamEvent, kind: StreamKind): Decision {
  switch (state.at) {
    case 'idle':
      return whileIdle(event, kind);
    case 'requested':
      return whileRequested(state.id, event, kind);
    case 'testing':
      return whileTesting(state.id, event, kind);
    case 'ended':
      return { next: ended };
  }
}

function whileIdle(event: StreamEvent, { operation, profile }: StreamKind): Decision {
  switch (event.kind) {
    case 'generate':
      return {
        action: { do: 'request', id: event.id },
        next: { at: 'requested', id: event.id },
      };
    case 'load':
      if (event.hasKey) return load(event.id, operation);
      return fail('FAILED_PRECONDITION', 'no key waits for the certificate: ask for a CSR first');
    case 'finalize':
      return profile === 'junos'
        ? fail('FAILED_PRECONDITION', 'there is not exactly one rotation of yours to finalize')
        : fail('INVALID_ARGUMENT', 'there is no rotation to finalize yet');
    case 'half-closed':
      return { next: ended, end: 'ok' };
    default:
      return endAnyway(event);
  }
}

function whileRequested(id: string, event: StreamEvent, kind: StreamKind): Decision {
  if (event.kind === 'load' && !event.hasKey) {
    if (event.id === '' || event.id === id) return load(id, kind.operation);
    return undo({ do: 'discard', id }, invalid('certificate_id is not that of the CSR'));
  }
  if (event.kind === 'half-closed' && kind.profile === 'junos')
    return { action: { do: 'park', id, what: 'key' }, next: ended, end: 'ok' };
  return undo({ do: 'discard', id }, endAnyway(event));
}

function whileTesting(id: string, event: StreamEvent, { profile }: StreamKind): Decision {
  if (event.kind === 'finalize') return { action: { do: 'commit', id }, next: ended, end: 'ok' };
  if (event.kind === 'half-closed' && profile === 'junos')
    return { action: { do: 'park', id, what: 'trial' }, next: ended, end: 'ok' };
  return undo({ do: 'roll back', id }, endAnyway(event));
}

function load(id: string, operation: Operation): Decision {
  return operation === 'rotate'
    ? { action: { do: 'load', id, isTrial: true }, next: { at: 'testing', id } }
    : { action: { do: 'load', id, isTrial: false }, next: ended, end: 'ok' };
}

/** How a stream ends for what it does not expect. */
function endAnyway({ kind }: StreamEvent): Decision {
  switch (kind) {
    case 'broken':
    case 'failed':
      return { next: ended, end: 'silently' };
    case 'half-closed':
      return fail('ABORTED', 'the stream ended before the operation was complete');
    case 'time-up':
      return fail('DEADLINE_EXCEEDED', 'the next message did not come in time');
    case 'undone':
      return fail('DEADLINE_EXCEEDED', 'the rotation was undone before it was finalized');
    case 'empty':
      return invalid('the message has none of its members');
    default:
      return invalid('the message comes out of order');
  }
}

function undo(action: StreamAction, decision: Decision): Decision {
  return { ...decision, action };
}

function invalid(details: string): Decision {
  return fail('INVALID_ARGUMENT', details);
}

function fail(status: StatusName, details: string): Decision {
  return { next: ended, end: { status, details } };
}

const ended: StreamState = { at: 'ended' };
