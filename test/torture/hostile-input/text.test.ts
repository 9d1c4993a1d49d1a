import { isIPv4, isIPv6 } from 'node:net';
import { it } from 'node:test';
import { addressGroup } from '../../../src/core/client-address.ts';
import { planRequest } from '../../../src/manager/csr/plan.ts';
import { DestinationFault, parseDestination } from '../../../src/outbound/destination.ts';
import { refuseBadHeaders } from '../../../src/redfish/events/receiver-headers.ts';
import { parseStreamFilter } from '../../../src/redfish/events/stream-filter.ts';
import { checkBeforeChange, isUnchanged } from '../../../src/redfish/http/preconditions.ts';
import { acceptsJson, prefersGzip } from '../../../src/redfish/http/quality.ts';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';
import { parseFilter } from '../../../src/redfish/query/filter-expression.ts';
import { matchesFilter } from '../../../src/redfish/query/filter-match.ts';
import { hasQuery, parseQuery } from '../../../src/redfish/query/parameters.ts';
import { selectMembers } from '../../../src/redfish/query/select.ts';
import { cookieToken } from '../../../src/redfish/sessions/session-cookies.ts';
import { readPreference } from '../../../src/redfish/tasks/preference.ts';
import { decode, encode } from '../../../src/x509/der.ts';
import { subjectAltName, writeExtensions } from '../../../src/x509/extensions.ts';
import { isHostName, parseGeneralName, readGeneralNames } from '../../../src/x509/general-names.ts';
import { writeName } from '../../../src/x509/name.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { printFilter } from '../../redfish/query/print-filter.ts';
import { campaign } from './campaign.ts';
import { jsonMutators } from './mutate-json.ts';
import { textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';

const mutators = [...textMutators, ...textMutators, ...byteMutators];
const buffers = (texts: readonly string[]) => texts.map((text) => Buffer.from(text));
const isRedfishRefusal = (error: unknown) =>
  error instanceof RedfishError && (error.status < 500 || error.status === 501);

it('a name that is taken goes into a certificate and comes back as it went', async () => {
  await campaign({
    name: 'general name',
    corpus: buffers([
      ...['bmc.example.com', '*.example.com', 'DNS: bmc', 'IP:192.0.2.1', 'IP Address=2001:db8::1'],
      ...[
        '::ffff:192.0.2.1',
        'fe80::1%eth0',
        'email:a@b.example',
        'RFC822Name=x@y',
        'zürich.example',
      ],
      ...[
        'URI:https://bmc.example.com/a?b=c',
        'urn:uuid:1',
        'xn--zrich-kva.example',
        '1::',
        '0x7f.1',
      ],
    ]),
    mutators,
    attempt(input) {
      const text = input.toString();
      isHostName(text);
      const name = parseGeneralName(text);
      if (!name) return 'none';
      const [read] = readGeneralNames(decode(subjectAltName([name]).value));
      if (read?.kind !== name.kind) throw new Error('it is another kind afterwards');
      if (name.kind !== 'ip' && read.value !== name.value)
        throw new Error('it is another name afterwards');
      return name.kind;
    },
  });
});

it('arguments of a request are refused by their names, or make one', async () => {
  const { KeyBitLength: _, ...parameters } = csrParameters({
    AlternativeNames: ['bmc.example.com', 'IP:192.0.2.1'],
    ...{
      City: 'Bern',
      CommonName: 'bmc',
      Country: 'CH',
      Email: 'a@b.example',
      KeyUsage: ['KeyAgreement'],
    },
    ...{ Organization: 'Test', ChallengePassword: 'secret', UnstructuredName: 'ä' },
  });
  await campaign({
    name: 'request arguments',
    corpus: [parameters, { ...parameters, KeyPairAlgorithm: 'RSA', KeyCurveId: 'P-384' }].map(
      (one) => Buffer.from(JSON.stringify(one)),
    ),
    mutators: [...jsonMutators, ...mutators],
    attempt(input) {
      const given = stringsOf(input, parameters);
      const KeyBitLength = BigInt(input.length % 5) * 1024n;
      const { content, algorithm } = planRequest(
        { ...parameters, ...given, KeyBitLength },
        'server',
      );
      encode(writeName(content.subject));
      encode(writeExtensions([subjectAltName(content.alternativeNames)]));
      return `${algorithm.kind} ${content.subject.length} ${content.alternativeNames.length}`;
    },
  });
});

/** What a caller of the bus can send: the members with the types that the signature gives them. */
function stringsOf<T extends object>(input: Buffer, like: T): Partial<T> {
  let value: unknown;
  try {
    value = JSON.parse(input.toString());
  } catch {
    value = { CommonName: input.toString() };
  }
  const entries = Object.entries(like).flatMap(([name, was]): [string, unknown][] => {
    const is: unknown = Reflect.get(Object(value), name);
    if (is === undefined || typeof is === 'function') return [];
    return [[name, Array.isArray(was) ? [is].flat(3).map(asText) : asText(is)]];
  });
  return Object.fromEntries(entries) as Partial<T>;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const resource = {
  '@odata.id': '/redfish/v1/X/1',
  '@odata.type': '#X.v1_0_0.X',
  Id: '1',
  Name: "it's",
  Count: 7,
  When: '2026-11-21T00:00:00Z',
  Status: { State: 'Enabled', Conditions: [{ MessageId: 'a' }] },
  Links: { Issuer: { '@odata.id': '/redfish/v1/X/2' } },
};
const filters = [
  "Name eq 'it''s'",
  "Id ne '1' and (Count gt 5 or Count le -1.5e3) and not (Status/State eq 'Enabled')",
  'When ge 2026-11-20T00:00:00+01:00 or Missing eq null or Enabled eq true',
];

it('a query is refused with a 400 or 501, or applies to a resource', async () => {
  const limits = {
    ...{ expandLevels: 3, expandedResources: 20, filterCharacters: 1000, filterDepth: 10 },
    selectedMembers: 20,
  };
  await campaign({
    name: 'query of a URI',
    corpus: buffers([
      ...filters.map((filter) => `?$filter=${encodeURIComponent(filter)}`),
      ...[
        '?$select=Id,Status/State,Links/*',
        '?$expand=.($levels=2)&$top=1&$skip=2',
        '?only',
        '?$expand=*',
      ],
      ...['?excerpt', '?$select=@odata.id', '?%24top=5', '?$top=-1&&a=b;c', '?$select=*'],
    ]),
    mutators,
    isRefusal: isRedfishRefusal,
    attempt(input) {
      const search = input.toString('latin1');
      hasQuery(search);
      const query = parseQuery(search, limits);
      const { filter, select } = query;
      if (select) JSON.stringify(selectMembers(resource, select));
      if (!filter) return Object.keys(query).sort().join();
      const printed = printFilter(filter);
      // Numbers beyond all others have no form of their own
      if (printed.includes('Infinity')) return 'endless';
      const again = parseFilter(printed, 1000);
      if (!again) throw new Error(`a filter that is none when it is printed: ${printed}`);
      const [matches, does] = [filter, again].map((one) => matchesFilter(one, resource));
      if (matches !== does)
        throw new Error(`a filter that is another when it is printed: ${printed}`);
      return `${filter.kind} ${matches}`;
    },
  });
});

it('a filter of an event stream is refused, or applies to events', async () => {
  const event = {
    ...{
      id: '1',
      time: 0,
      eventType: 'x',
      resourceType: 'Certificate',
      message: 'x',
      severity: 'OK',
    },
    ...{
      messageId: 'ResourceEvent.1.4.ResourceCreated',
      args: [],
      origin: '/redfish/v1/X',
      registry: 'ResourceEvent',
    },
  };
  await campaign({
    name: 'filter of an event stream',
    corpus: buffers([
      "ResourceType eq 'Certificate' and (MessageId eq 'ResourceEvent.1.4.ResourceCreated' or RegistryPrefix eq 'Base')",
      "OriginResource eq '/redfish/v1/Managers/bmc' and SubordinateResources eq true",
      'EventFormatType eq Event',
    ]),
    mutators,
    isRefusal: isRedfishRefusal,
    attempt(input) {
      const holds = parseStreamFilter(input.toString(), {
        filterCharacters: 2000,
        filterDepth: 20,
      });
      return String(holds(event as never));
    },
  });
});

it('headers of requests are read or taken as absent', async () => {
  const tag = `"${'a'.repeat(32)}"`;
  await campaign({
    name: 'request headers',
    corpus: buffers([
      ...[
        tag,
        `W/${tag}`,
        `"x", ${tag}`,
        '*',
        '"a","b" , W/"c"',
        'application/json;q=0.5, */*;q=0.1',
      ],
      ...[
        'gzip, deflate;q=0.5, identity;q=0',
        'respond-async, wait=10',
        'respond-async;x=y, wait="5"',
      ],
      ...[
        'BMCWEB-SESSION=abc; XSRF-TOKEN=d',
        'a=b=c; ;=',
        '::ffff:192.0.2.1',
        'fe80::1%eth0',
        '2001:db8::',
      ],
    ]),
    mutators,
    isRefusal: isRedfishRefusal,
    attempt(input) {
      const header = input.toString('latin1');
      const answers = [acceptsJson(header), prefersGzip(header), cookieToken(header) !== undefined];
      const { wait = -1 } = readPreference(header);
      if (!Number.isFinite(wait)) throw new Error('a wait that is no number');
      if (isIPv6(header) && !/^([0-9a-f:]+\/64|[\d.]+)$/.test(addressGroup(header))) {
        throw new Error('an address that is none any more');
      }
      isUnchanged({ ifMatch: undefined, ifNoneMatch: header }, tag);
      checkBeforeChange({ ifMatch: header, ifNoneMatch: undefined }, tag);
      return answers.join();
    },
  });
});

it('destinations and headers of events are refused, or can be used as they are', async () => {
  const policy = { allowLoopback: false, allowLinkLocal: false };
  const isFault = (error: unknown) => error instanceof DestinationFault || isRedfishRefusal(error);
  await campaign({
    name: 'destination and headers of events',
    corpus: buffers([
      ...[
        'https://receiver.example/events?a=b',
        'http://192.0.2.1:8080/',
        'https://[2001:db8::1]/x',
      ],
      ...[
        'http://[::ffff:127.0.0.1]/',
        'http://2130706433/',
        'http://127.1/',
        'http://[64:ff9b::7f00:1]/',
      ],
      ...['http://0x7f.0.0.1/', 'http://localhost./', 'https://receiver.example:443/#x', 'X-Token'],
    ]),
    mutators,
    isRefusal: isFault,
    attempt(input) {
      const text = input.toString();
      if (input.length % 2 === 1) {
        const half = Math.floor(text.length / 2);
        const list = [{ [text.slice(0, half)]: text.slice(half) }];
        refuseBadHeaders(list, { headers: 10, headerCharacters: 2000 });
        for (const headers of list) new Headers(headers);
        return 'headers';
      }
      const { hostname, protocol } = parseDestination(text, policy);
      const isOwn = isIPv4(hostname)
        ? /^(127|0)\./.test(hostname)
        : /^(\[::1?\]|localhost)$/.test(hostname);
      if (isOwn) throw new Error(`a way home: ${hostname}`);
      return protocol;
    },
  });
});
