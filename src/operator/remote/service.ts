import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../framework/exit-status.ts';
import type { Answer, Connection, Exchange } from './connection.ts';
import { errorOf, readRefusal } from './refusal.ts';
import type { Sessions } from './session.ts';

/** The requests of a client that is logged in. Rejections are CertErrors and CommandErrors. */
export interface Service {
  get(path: string): Promise<Answer>;
  /** The body; `undefined` for a resource that is not there, or not for this user. */
  look(path: string): Promise<unknown>;
  post(path: string, body: object): Promise<Answer>;
  /** Only what was not changed since it was read. */
  patch(path: string, body: object, entityTag: string | undefined): Promise<Answer>;
  remove(path: string): Promise<void>;
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** Logs in once more, where the service has forgotten the session. */
  renewLogin(): Promise<void>;
}

const readMilliseconds = 60_000;
/** Long enough for an RSA 4096 key on a small device. */
const changeMilliseconds = 310_000;

/** What a user who may not read a resource is answered, or a service that has none. */
const hidden: readonly number[] = [401, 403, 404, 405, 410, 501];

export function loggedIn(connection: Connection, sessions: Sessions): Service {
  const own = (): Readonly<Record<string, string>> =>
    sessions.token === undefined ? {} : { 'X-Auth-Token': sessions.token };
  const send = (exchange: Exchange, milliseconds: number) =>
    connection.send({ ...exchange, headers: { ...exchange.headers, ...own() } }, milliseconds);
  const must = async (exchange: Exchange) => {
    const isRead = exchange.method === 'GET';
    const first = await send(exchange, isRead ? readMilliseconds : changeMilliseconds);
    const answer = first.status === 202 ? await outcomeOf(first, send) : first;
    if (answer.status < 300) return answer;
    throw errorOf(readRefusal(answer, exchange.body));
  };
  return {
    renewLogin: () => sessions.renew(),
    get: (path) => must({ method: 'GET', path }),
    async look(path) {
      const answer = await send({ method: 'GET', path }, readMilliseconds);
      if (hidden.includes(answer.status)) return undefined;
      if (answer.status >= 300) throw errorOf(readRefusal(answer));
      return answer.body;
    },
    post: (path, body) => must({ method: 'POST', path, body }),
    patch(path, body, entityTag) {
      const headers = entityTag === undefined ? {} : { 'If-Match': entityTag };
      return must({ method: 'PATCH', path, body, headers });
    },
    async remove(path) {
      await must({ method: 'DELETE', path });
    },
    async stream(path, signal) {
      const headers = { ...own(), Accept: 'text/event-stream' };
      const response = await connection.stream({ method: 'GET', path, headers }, signal);
      const { statusCode: status = 0 } = response;
      if (status === 200) return response;
      response.destroy();
      throw errorOf(readRefusal({ status, headers: response.headers, body: undefined }));
    },
  };
}

const maxPauseSeconds = 10;

/** What became of a request that takes long (DSP0266, "Asynchronous operations"). */
async function outcomeOf(
  accepted: Answer,
  send: (exchange: Exchange, milliseconds: number) => Promise<Answer>,
): Promise<Answer> {
  const path = accepted.headers.location;
  const end = performance.now() + changeMilliseconds;
  let answer = accepted;
  while (answer.status === 202 && path !== undefined) {
    if (performance.now() > end)
      throw new CommandError('unavailable', 'The Redfish service did not finish in time.');
    const seconds = Number(answer.headers['retry-after'] ?? 1);
    await sleep(1000 * Math.min(Math.max(seconds || 1, 1), maxPauseSeconds));
    answer = await send({ method: 'GET', path }, readMilliseconds);
  }
  return answer;
}
