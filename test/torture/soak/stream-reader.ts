import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** A change of a certificate as an event told of it. */
export interface Told {
  /** Number of the event. */
  readonly id: number;
  readonly message: string;
  readonly uri: string;
}

/** Reads the stream of events for as long as it is told to, and resumes it when it breaks off. */
export class StreamReader {
  readonly told: Told[] = [];
  /** What a reader cannot make sense of. */
  readonly faults: string[] = [];
  /** How often the service said that events may be missing. */
  exceeded = 0;
  resumed = 0;
  readonly #url: URL;
  readonly #token: () => Promise<string | undefined>;
  #last: string | undefined;
  #open: { destroy(): void } | undefined;
  #stopped = false;
  #running: Promise<void> | undefined;

  /** @param token of a login that holds now; undefined while nobody can log in */
  constructor(url: string, token: () => Promise<string | undefined>) {
    this.#url = new URL(url);
    this.#token = token;
  }

  /** Resolves when the first stream is open. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve);
    });
  }

  /** Ends the connection, as a network does: the reader begins again where it was. */
  interrupt(): void {
    this.#open?.destroy();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#open?.destroy();
    await this.#running;
  }

  async #run(opened: () => void): Promise<void> {
    while (!this.#stopped) {
      try {
        const token = await this.#token();
        const response = token === undefined ? undefined : await this.#connect(token);
        if (response?.statusCode === 200) {
          opened();
          if (this.#last !== undefined) this.resumed += 1;
          await this.#read(response);
        } else response?.destroy();
      } catch {
        // broken off, or nobody there
      }
      if (!this.#stopped) await sleep(100);
    }
  }

  #connect(token: string): Promise<IncomingMessage> {
    const headers = {
      'X-Auth-Token': token,
      ...(this.#last !== undefined && { 'Last-Event-ID': this.#last }),
    };
    const { hostname: host, port } = this.#url;
    const path = '/redfish/v1/EventService/SSE';
    return new Promise((resolve, reject) => {
      const options = { host, port, path, headers, agent: false, rejectUnauthorized: false };
      const asked = request(options, resolve);
      this.#open = asked;
      asked.once('error', reject);
      asked.end();
    });
  }

  async #read(response: IncomingMessage): Promise<void> {
    let rest = '';
    response.setEncoding('utf8');
    for await (const chunk of response) {
      const blocks = `${rest}${chunk}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => splitField(line)));
    const data = fields.get('data');
    if (data === undefined) return;
    const { Id, Events: events } = JSON.parse(data);
    const [event] = events;
    const id = fields.get('id') ?? '';
    const message = String(event.MessageId).split('.').at(-1) ?? '';
    if (message === 'EventBufferExceeded') this.exceeded += 1;
    else {
      if (Id !== id) this.faults.push(`the event ${Id} is numbered ${id}`);
      const before = Number(this.#last);
      if (this.#last !== undefined && Number(id) !== before + 1)
        this.faults.push(`the event after ${before} is ${id}`);
      this.told.push({ id: Number(id), message, uri: event.OriginOfCondition?.['@odata.id'] });
    }
    this.#last = id;
  }
}

function splitField(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
