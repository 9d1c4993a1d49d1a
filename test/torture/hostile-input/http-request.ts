import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { jsonMutators } from './mutate-json.ts';
import type { Mutator } from './mutation.ts';

/** What came back for the bytes of a request. */
export interface RawAnswer {
  /** 0 when the server ended the connection without a word. */
  readonly status: number;
  readonly text: string;
}

/** Sends bytes as they are and ends its side, so that nobody waits for what does not come. */
export function sendRaw(port: number, bytes: Buffer, secure = false): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const where = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket: Socket = secure ? connectTls(where) : connectPlain(where);
    let text = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error('no answer within 300 seconds'));
    }, 300_000);
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.setEncoding('latin1');
    socket.on('data', (more: string) => {
      text += more;
      // A stream of events goes on for ever
      if (/^content-type: text\/event-stream/im.test(text)) end();
    });
    socket.on('close', end);
    // What was refused early is closed before all of it was sent
    socket.on('error', () => undefined);
    socket.end(bytes);
  });
}

/** A request in the form of the corpus: head with line feeds, an empty line, body. */
export function asRequest(input: Buffer, token: string): Buffer {
  const text = input.toString('latin1');
  const split = text.indexOf('\n\n');
  const [head, body] = split < 0 ? [text, ''] : [text.slice(0, split), text.slice(split + 2)];
  const lines = head.replaceAll('TOKEN', token).split('\n');
  const added = ['Connection: close', ...(body === '' ? [] : [`Content-Length: ${body.length}`])];
  return Buffer.from([...lines, ...added, '', body].join('\r\n'), 'latin1');
}

/** Changes of the body alone, as JSON. */
export const bodyMutators: readonly Mutator[] = jsonMutators.map(
  (change) => (input, dice, other) => {
    const [at, from] = [input.indexOf('\n\n') + 2, other.indexOf('\n\n') + 2];
    if (at < 2) return input;
    const body = change(input.subarray(at), dice, other.subarray(from < 2 ? 0 : from));
    return Buffer.concat([input.subarray(0, at), body]);
  },
);

const v1 = '/redfish/v1';
const manager = `${v1}/Managers/bmc`;

const reads = [
  ...[`${v1}/`, `${v1}?$expand=*`, `${manager}`, `${manager}/NetworkProtocol/HTTPS/Certificates/1`],
  ...[`${manager}/Truststore/Certificates?$expand=.($levels=2)&$filter=Id eq '1'`, `${v1}/odata`],
  ...[
    `${v1}/$metadata`,
    `${v1}/AccountService/Accounts/admin?$select=Id,Links/Role`,
    `${v1}/TaskService/Tasks`,
  ],
  ...[
    `${v1}/SessionService/Sessions?only`,
    `${v1}/CertificateService/CertificateLocations?$expand=~`,
  ],
  ...[
    `${v1}/EventService/Subscriptions`,
    `${v1}/EventService/SSE?$filter=EventFormatType eq Event`,
  ],
  ...[
    `${v1}/Registries/Base/Base.1.19.0.json`,
    `${v1}/JsonSchemas/Certificate`,
    `${manager}/SecurityPolicy`,
  ],
].map((path) => `GET ${path.replaceAll(' ', '%20')} HTTP/1.1`);

const headers = [
  ...['Host: 127.0.0.1', 'X-Auth-Token: TOKEN', 'Accept: application/json;q=0.9, */*;q=0.1'],
  ...[
    'If-None-Match: "x", W/"y"',
    'OData-Version: 4.0',
    'Accept-Encoding: gzip;q=1',
    'Cookie: a=b',
  ],
  ...[
    'Prefer: respond-async, wait=1',
    'Last-Event-ID: 1',
    'Range: bytes=0-1',
    'Content-Type: application/json',
  ],
];

/** Requests to go on from, for the operations with these bodies. */
export function requestCorpus(bodies: Readonly<Record<string, readonly object[]>>): Buffer[] {
  const [host = '', token = ''] = headers;
  const writes = Object.entries(targets).flatMap(([name, line]) =>
    (bodies[name] ?? [{}]).map((body) => {
      const type = 'Content-Type: application/json';
      return [`${line} HTTP/1.1`, host, token, type, 'If-Match: *', '', JSON.stringify(body)];
    }),
  );
  const all = [...reads.map((line) => [line, ...headers]), ...writes];
  return all.map((lines) => Buffer.from(lines.join('\n'), 'latin1'));
}

/** Subscriptions are not created: their destinations would be elsewhere than on this machine. */
const targets = {
  CertificateCreate: `POST ${manager}/Truststore/Certificates`,
  ReplaceCertificate: `POST ${v1}/CertificateService/Actions/CertificateService.ReplaceCertificate`,
  GenerateCsr: `POST ${v1}/CertificateService/Actions/CertificateService.GenerateCSR`,
  Rekey: `POST ${manager}/NetworkProtocol/HTTPS/Certificates/1/Actions/Certificate.Rekey`,
  Renew: `POST ${manager}/NetworkProtocol/HTTPS/Certificates/1/Actions/Certificate.Renew`,
  AccountCreate: `POST ${v1}/AccountService/Accounts`,
  AccountPatch: `PATCH ${v1}/AccountService/Accounts/reader`,
  AccountServicePatch: `PATCH ${v1}/AccountService`,
  SessionServicePatch: `PATCH ${v1}/SessionService`,
  EventServicePatch: `PATCH ${v1}/EventService`,
  EventSubmitTest: `POST ${v1}/EventService/Actions/EventService.SubmitTestEvent`,
  EventDestinationPatch: `PATCH ${v1}/EventService/Subscriptions/1`,
};
