import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { Metadata, Server } from '@grpc/grpc-js';
import { hasPrivilege, type Privilege } from '../../identity/roles.ts';
import type { Caller } from './caller.ts';
import { type MessageStream, messageStream } from './message-stream.ts';
import { StatusError, statusCodes, statusOf } from './status.ts';

export interface RegisterOptions {
  readonly server: Server;
  /** Who makes a call, once the login is done. */
  readonly callerOf: (metadata: Metadata) => Caller | undefined;
  /** Who the caller of a call is by now. @throws StatusError, IdentityError */
  readonly again: (caller: Caller) => Promise<Caller>;
  /** Hears of unexpected errors. */
  readonly report: (error: unknown, method: string) => void;
}

type Handle<I, O> = (request: I, caller: Caller) => Promise<O>;

/** Serves a call of one message. */
export function serveUnary<I extends DescMessage, O extends DescMessage>(
  { server, callerOf, again, report }: RegisterOptions,
  method: DescMethodUnary<I, O>,
  privilege: Privilege,
  handle: Handle<MessageShape<I>, MessageInitShape<O>>,
): void {
  server.register<MessageShape<I>, MessageShape<O>>(
    pathOf(method),
    (
      call: { request: MessageShape<I>; metadata: Metadata },
      answer: UnaryAnswer<MessageShape<O>>,
    ) => {
      const work = async () => {
        const caller = mustBeAllowed(callerOf(call.metadata), privilege);
        // The message may have come an hour after the metadata
        return handle(call.request, mustBeAllowed(await again(caller), privilege));
      };
      work().then(
        (reply) => answer(null, create(method.output, reply)),
        (error: unknown) => {
          const status = statusOf(error);
          if (status.status === 'INTERNAL') report(error, method.name);
          answer({ code: statusCodes[status.status], details: status.message });
        },
      );
    },
    ...coders(method),
    'unary',
  );
}

type UnaryAnswer<O> = (
  error: { readonly code: number; readonly details: string } | null,
  reply?: O,
) => void;

/** Makes sure that the caller may still do what the call does. @throws StatusError, IdentityError */
export type StillMay = () => Promise<void>;

/** Serves a call of many messages in both directions. */
export function serveStream<I extends DescMessage, O extends DescMessage>(
  { server, callerOf, again }: RegisterOptions,
  method: DescMethodBiDiStreaming<I, O>,
  privilege: Privilege,
  handle: (
    stream: MessageStream<MessageShape<I>, MessageInitShape<O>>,
    caller: Caller,
    stillMay: StillMay,
  ) => void,
): void {
  server.register<MessageShape<I>, MessageShape<O>>(
    pathOf(method),
    (call: Parameters<typeof messageStream<MessageShape<I>, MessageShape<O>>>[0]) => {
      const stream = messageStream(call);
      try {
        const caller = mustBeAllowed(callerOf(call.metadata), privilege);
        const send = (reply: MessageInitShape<O>) => stream.send(create(method.output, reply));
        const stillMay = async () => void mustBeAllowed(await again(caller), privilege);
        handle({ ...stream, send }, caller, stillMay);
      } catch (error) {
        stream.end(statusOf(error));
      }
    },
    ...coders(method),
    'bidi',
  );
}

function pathOf({ parent, name }: DescMethodUnary | DescMethodBiDiStreaming): string {
  return `/${parent.typeName}/${name}`;
}

function coders<I extends DescMessage, O extends DescMessage>({
  input,
  output,
}: {
  readonly input: I;
  readonly output: O;
}) {
  return [
    (reply: MessageShape<O>) => Buffer.from(toBinary(output, reply)),
    (bytes: Buffer) => fromBinary(input, bytes),
  ] as const;
}

function mustBeAllowed(caller: Caller | undefined, privilege: Privilege): Caller {
  if (!caller) throw new StatusError('UNAUTHENTICATED', 'the call has no login');
  if (hasPrivilege(caller.role, privilege)) return caller;
  throw new StatusError('PERMISSION_DENIED', `the role ${caller.role} may not do that`);
}
