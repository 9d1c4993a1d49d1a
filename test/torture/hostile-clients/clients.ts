import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { until } from '../../e2e/commands.ts';
import type { Target } from './target.ts';

/** The address that nobody attacks from. */
export const operatorAddress = '127.0.0.1';

/** So many other addresses of this machine. */
export function attackers(count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, at) => `127.1.${Math.floor(at / 250)}.${1 + (at % 250)}`,
  );
}

/** A TCP connection that says nothing; what becomes of it is nobody's concern. */
export function silent({ port }: Target, from: string): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => undefined);
  return socket;
}

export interface Handshake {
  readonly servername?: string;
  readonly allowHalfOpen?: boolean;
}

/** @returns `undefined` when the handshake does not come to its end */
export function shakeHands(
  { port }: Target,
  from: string,
  handshake: Handshake = {},
): Promise<TLSSocket | undefined> {
  const way = { port, host: '127.0.0.1', localAddress: from, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const socket = connectTls({ ...way, ...handshake }, () => resolve(socket));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(undefined));
  });
}

/** What came over a connection. */
export interface Heard {
  readonly text: string;
  readonly statuses: readonly number[];
  /** Whether the service closed the connection. */
  readonly closed: boolean;
}

export interface Talk {
  readonly from?: string;
  /** Final answers that are waited for; without a number all until the service closes. */
  readonly answers?: number;
}

/** Sends bytes as they are over TLS, and hears what comes. */
export async function say(target: Target, bytes: string | Buffer, talk: Talk = {}): Promise<Heard> {
  const socket = await shakeHands(target, talk.from ?? operatorAddress);
  if (!socket) return { text: '', statuses: [], closed: true };
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.once('close', () => {
    closed = true;
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  const enough = () => closed || (talk.answers !== undefined && isComplete(text, talk.answers));
  await until('an answer or the end', enough).catch(() => undefined);
  socket.destroy();
  return { text, statuses: statusesOf(text), closed };
}

export function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}

/** Whether so many answers have come with their bodies; all of ours name their length. */
function isComplete(text: string, answers: number): boolean {
  let rest = text;
  for (let left = answers; left > 0; left -= 1) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const length = /^content-length: (\d+)/im.exec(rest.slice(0, end))?.[1] ?? '0';
    rest = rest.slice(end + 4);
    if (rest.length < Number(length)) return false;
    rest = rest.slice(Number(length));
  }
  return true;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string;
  readonly from?: string;
  readonly token?: string;
}

export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One request on a connection of its own. */
export async function ask(target: Target, path: string, options: Ask = {}): Promise<Answer> {
  const { from } = options;
  const talk = { answers: 1, ...(from && { from }) };
  const { text, statuses } = await say(target, requestOf(path, options), talk);
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: statuses[0] ?? 0, head, body: rest.join('\r\n\r\n') };
}

/** The text of a request. */
export function requestOf(path: string, { method, headers = {}, body, token }: Ask): string {
  const content = typeof body === 'object' ? JSON.stringify(body) : body;
  const all = {
    Host: 'bmc',
    ...(token !== undefined && { 'X-Auth-Token': token }),
    ...(typeof body === 'object' && { 'Content-Type': 'application/json' }),
    ...(content !== undefined && { 'Content-Length': String(Buffer.byteLength(content)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const verb = method ?? (body === undefined ? 'GET' : 'POST');
  return `${verb} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${content ?? ''}`;
}

export const sessionsUri = '/redfish/v1/SessionService/Sessions';

export interface Login {
  readonly status: number;
  /** Empty unless it came in, as is the URI of its session. */
  readonly token: string;
  readonly session: string;
}

/** Opens a session. */
export async function logIn(
  target: Target,
  userName: string,
  password: string,
  from = operatorAddress,
): Promise<Login> {
  const body = { UserName: userName, Password: password };
  const { status, head } = await ask(target, sessionsUri, { body, from });
  const token = /^x-auth-token: (\S+)/im.exec(head)?.[1] ?? '';
  return { status, token, session: /^location: (\S+)/im.exec(head)?.[1] ?? '' };
}
