import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Fields, Log } from '../../../src/core/log.ts';
import type { Identity } from '../../../src/identity/identity.ts';
import type { RoleId } from '../../../src/identity/roles.ts';
import { baseCapabilities, baseNamespace } from '../../../src/netconf/rpc/base-namespace.ts';
import type { Operations } from '../../../src/netconf/rpc/operation.ts';
import { runSession, type SessionLimits } from '../../../src/netconf/session/session.ts';
import { type SessionEnd, Sessions } from '../../../src/netconf/session/sessions.ts';
import { messageLimits } from '../message-limits.ts';

export const limits: SessionLimits = {
  message: messageLimits,
  helloMilliseconds: 60_000,
  idleMilliseconds: 0,
  closeMilliseconds: 60_000,
};

export interface WorldOptions {
  readonly userName?: string;
  readonly capabilities?: readonly string[];
  readonly operations?: Operations;
  readonly limits?: Partial<SessionLimits>;
  readonly lenientInteractive?: boolean;
  readonly current?: () => Promise<Identity>;
  /** Fulfilled when a connection may begin. */
  readonly beforeStart?: (stream: Socket) => Promise<void>;
}

export interface World {
  readonly sessions: Sessions;
  readonly ends: readonly SessionEnd[];
  readonly lines: readonly string[];
  /** Begins a session on a stream of the test's own. */
  run(stream: Duplex): Promise<string>;
  dial(): Promise<Client>;
}

/** Sessions on plain sockets, which end with the test. */
export async function sessionWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const lines: string[] = [];
  const log = recordingLog(lines);
  const sessions = new Sessions({ now: () => new Date('2026-11-29T12:00:00Z'), log });
  const ends: SessionEnd[] = [];
  sessions.onEnd((end) => ends.push(end));
  const run = (stream: Duplex) =>
    runSession({
      stream,
      sessions,
      session: sessions.open({ userName: options.userName ?? 'alice', address: '192.0.2.1' }),
      current: options.current ?? (async () => identityOf('Administrator')),
      capabilities: options.capabilities ?? baseCapabilities,
      operations: options.operations ?? new Map(),
      limits: { ...limits, ...options.limits },
      lenientInteractive: options.lenientInteractive ?? false,
      log,
    });
  const sockets = new Set<Socket>();
  const server = createServer(async (socket) => {
    sockets.add(socket);
    await options.beforeStart?.(socket);
    await run(socket);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { sessions, ends, lines, run, dial: () => dial(t, server) };
}

export interface Client {
  readonly socket: Socket;
  write(text: string): void;
  /** Waits until what has come, from the last match on, has the pattern in it. */
  receive(pattern: RegExp): Promise<string>;
  /** @returns all that came and was not matched, once the server has ended the connection */
  rest(): Promise<string>;
}

async function dial(t: TestContext, server: Server): Promise<Client> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server is not there');
  const socket = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return clientOn(socket);
}

export function clientOn(socket: Socket): Client {
  let text = '';
  let hasEnded = false;
  let wake = () => {};
  const change = () => wake();
  socket.setEncoding('utf8');
  socket.on('data', (piece: string) => {
    text += piece;
    change();
  });
  for (const event of ['end', 'close', 'error'])
    socket.on(event, () => {
      hasEnded = true;
      change();
    });
  const changed = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  return {
    socket,
    write: (some) => void socket.write(some),
    async receive(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match) {
          const end = match.index + match[0].length;
          const seen = text.slice(0, end);
          text = text.slice(end);
          return seen;
        }
        if (hasEnded) throw new Error(`the connection ended after ${JSON.stringify(text)}`);
        await changed();
      }
    },
    async rest() {
      while (!hasEnded) await changed();
      return text;
    },
  };
}

/** A hello of a client, with the delimiter. */
export function hello(...bases: readonly ('1.0' | '1.1')[]): string {
  const capabilities = bases
    .map((base) => `<capability>urn:ietf:params:netconf:base:${base}</capability>`)
    .join('');
  return `<hello xmlns="${baseNamespace}"><capabilities>${capabilities}</capabilities></hello>]]>]]>`;
}

/** A request without framing. */
export function rpc(id: number, content: string): string {
  return `<rpc xmlns="${baseNamespace}" message-id="${id}">${content}</rpc>`;
}

export function chunk(text: string): string {
  return `\n#${Buffer.byteLength(text)}\n${text}\n##\n`;
}

export function identityOf(role: RoleId): Identity {
  const account = {
    userName: 'alice',
    role,
    enabled: true,
    locked: false,
    passwordChangeRequired: false,
    accountTypes: [],
  };
  return { account };
}

function recordingLog(lines: string[]): Log {
  const record = (message: string, fields: Fields = {}) => {
    lines.push(
      [message, ...Object.entries(fields).map(([key, value]) => `${key}=${value}`)].join(' '),
    );
  };
  return { debug: record, info: record, warn: record, error: record };
}
