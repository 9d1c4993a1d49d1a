import { sessionsUri } from './clients.ts';

/** Bytes whose parts two servers in a row could cut in different places. */
export interface Shape {
  /** The status of the one answer, or of each; empty where the connection is merely cut. */
  readonly statuses: readonly number[];
  readonly bytes: string;
  /** The connection goes on: what was said is no danger to whoever follows. */
  readonly goesOn?: true;
}

/** Never to be answered: it is a body, or comes behind what nobody may trust any more. */
const hidden = 'GET /redfish/v1/odata HTTP/1.1\r\nHost: hidden\r\n\r\n';
const host = 'Host: bmc\r\n';
const post = `POST ${sessionsUri} HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
const get = `GET /redfish/v1 HTTP/1.1\r\n${host}`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const long = (length: number) => 'a'.repeat(length);

/** RFC 9112, sections 2.2, 5, 6 and 7, and what they say is to be refused. */
export const shapes: Readonly<Record<string, Shape>> = {
  'a length and chunks': refused(`${post}Content-Length: 4\r\n${chunked}\r\n0\r\n\r\n${hidden}`),
  'chunks and a length': refused(`${post}${chunked}Content-Length: 4\r\n\r\n0\r\n\r\n${hidden}`),
  'two lengths': refused(`${post}Content-Length: 4\r\nContent-Length: 0\r\n\r\n${hidden}`),
  'the same length twice': refused(
    `${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${hidden}`,
  ),
  'a list of lengths': refused(`${post}Content-Length: 0, 0\r\n\r\n${hidden}`),
  'a negative length': refused(`${post}Content-Length: -1\r\n\r\n${hidden}`),
  'a signed length': refused(`${post}Content-Length: +0\r\n\r\n${hidden}`),
  'a length in base 16': refused(`${post}Content-Length: 0x0\r\n\r\n${hidden}`),
  'a length past 64 bits': refused(`${post}Content-Length: 18446744073709551616\r\n\r\n${hidden}`),
  'an empty length': refused(`${post}Content-Length: \r\n\r\n${hidden}`),
  'an unknown transfer coding': refused(
    `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
  ),
  'chunks that are not last': refused(
    `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
  ),
  'two transfer codings': refused(
    `${post}${chunked}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
  ),
  'chunks behind a tab': refused(
    `${post}Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n${hidden}`,
  ),
  'a coding behind a space': refused(
    `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
  ),
  'a space before a colon': refused(`${post}Content-Length : 0\r\n\r\n${hidden}`),
  'a space before a name': refused(`GET /redfish/v1 HTTP/1.1\r\n X: y\r\n${host}\r\n${hidden}`),
  'a folded header': refused(`${get}X-A: b\r\n c\r\n\r\n${hidden}`),
  'bare line feeds': refused(`GET /redfish/v1 HTTP/1.1\n${host}\n${hidden}`),
  'a bare line feed after a header': refused(`${get}X-A: b\nX-C: d\r\n\r\n${hidden}`),
  'a bare carriage return': refused(`${get}X-A: b\rX-C: d\r\n\r\n${hidden}`),
  'a zero byte in a header': refused(`${get}X-A: b\u0000c\r\n\r\n${hidden}`),
  'a header without a name': refused(`${get}: x\r\n\r\n${hidden}`),
  'a header without a colon': refused(`${get}Content-Length\r\n\r\n${hidden}`),
  'a name that is none': refused(`${get}X(A): b\r\n\r\n${hidden}`),
  'a chunk that is too large to count': refused(
    `${post}${chunked}\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n${hidden}`,
  ),
  'a negative chunk': refused(`${post}${chunked}\r\n-1\r\n\r\n0\r\n\r\n${hidden}`),
  'a chunk in base 16 with its mark': refused(
    `${post}${chunked}\r\n0x1\r\nx\r\n0\r\n\r\n${hidden}`,
  ),
  'a chunk longer than its size': refused(`${post}${chunked}\r\n1\r\nxyz\r\n0\r\n\r\n${hidden}`),
  'a chunk that ends in a bare line feed': refused(`${post}${chunked}\r\n1\nx\n0\n\n${hidden}`),
  'an endless extension of a chunk': refused(
    `${post}${chunked}\r\n1;${long(20_000)}\r\nx\r\n0\r\n\r\n`,
  ),
  'a forbidden byte in the target': refused(
    `GET /redfish/v1\u0000 HTTP/1.1\r\n${host}\r\n${hidden}`,
  ),
  'a byte beyond ASCII in the target': refused(
    `GET /redfish/v1/\u00ff HTTP/1.1\r\n${host}\r\n${hidden}`,
  ),
  'a space in the target': refused(`GET /redfish/v1 x HTTP/1.1\r\n${host}\r\n${hidden}`),
  'a version that is none': refused(`GET /redfish/v1 HTTP/1.9\r\n${host}\r\n${hidden}`),
  'no version at all': refused('GET /redfish/v1\r\n\r\n'),
  'no version and no path': refused('GET /\r\n\r\n'),
  'another server for a target': refused(
    `GET http://other/redfish/v1 HTTP/1.1\r\n${host}\r\n${hidden}`,
  ),
  'a star for a target': refused(`OPTIONS * HTTP/1.1\r\n${host}\r\n${hidden}`),
  'a fragment in the target': refused(`GET /redfish/v1#x HTTP/1.1\r\n${host}\r\n${hidden}`),
  'two hosts': refused(`${get}Host: other\r\n\r\n${hidden}`),
  'no host': {
    goesOn: true,
    statuses: [400, 200],
    bytes: `GET /redfish/v1 HTTP/1.1\r\n\r\n${hidden}`,
  },
  'a tunnel': { statuses: [405], bytes: `CONNECT other:22 HTTP/1.1\r\n${host}\r\n${hidden}` },
  'an expectation that nobody can meet': {
    statuses: [417],
    bytes: `${post}Expect: tea\r\nContent-Length: 0\r\n\r\n${hidden}`,
  },
  'the preface of HTTP/2': { statuses: [], bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  'a method that is none': { statuses: [405], bytes: `FOO /redfish/v1 HTTP/1.1\r\n${host}\r\n` },
  'a header of nine kilobytes': {
    statuses: [431],
    bytes: `${get}X: ${long(9000)}\r\n\r\n${hidden}`,
  },
  'a request in the body of a GET': {
    goesOn: true,
    statuses: [200],
    bytes: `${get}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  },
  'a request in the body of a POST without a right': {
    goesOn: true,
    statuses: [401],
    bytes: `POST /redfish/v1/SessionService HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  },
  'a wish for another protocol': {
    goesOn: true,
    statuses: [200],
    bytes: `${get}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  },
};

function refused(bytes: string): Shape {
  return { statuses: [400], bytes };
}
