import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { figure } from '../extent.ts';
import {
  type Ask,
  ask,
  attackers,
  logIn,
  requestOf,
  say,
  sessionsUri,
  shakeHands,
  silent,
} from './clients.ts';
import { type Operator, operatorOf } from './operator.ts';
import { startTarget, type Target } from './target.ts';

const limits = {
  ...{
    uriBytes: 300,
    headerBytes: 1024,
    bodyBytes: 8192,
    jsonBytes: 4096,
  },
  ...{
    expandLevels: 1,
    expandedResources: 3,
    filterCharacters: 60,
    filterDepth: 2,
    selectedMembers: 2,
  },
  ...{
    unansweredRequests: 2,
    // Enough for an honest client on a busy machine
    requestSeconds: 4,
    handshakeSeconds: 4,
    idleSeconds: 4,
    gzipBytes: 128,
  },
  sessions: 3,
};
const users = {
  limits: { accounts: 2, queuedLogins: 1 },
  policy: { minPasswordLength: 10, maxPasswordLength: 40 },
};
const events = {
  ...{ subscriptions: 1, streams: 1, headers: 2, headerCharacters: 100, keepAliveSeconds: 1 },
  ...{ filterCharacters: 60, filterDepth: 1 },
};

/** Limits that other tests reach: where, and a word of what stands there. */
const elsewhere: Readonly<Record<string, readonly [string, string]>> = {
  'limits.connections': ['torture/hostile-clients/connections.test.ts', 'const connections'],
  'limits.keptReadBytes': ['redfish/http/kept-reads.test.ts', 'within a number of bytes'],
  'limits.changesPerUser': ['redfish/http/waiting-changes.test.ts', 'changesPerUser'],
  'limits.addressPercent': ['tls/connection-limits.test.ts', 'its share of the connections'],
  'limits.sendSeconds': ['tls/slow-readers.test.ts', 'sendMilliseconds'],
  'limits.sessionSeconds': ['redfish/sessions/sessions.test.ts', 'idle for too long'],
  'limits.sessionsPerUser': ['torture/hostile-clients/users.test.ts', 'sessionsPerUser'],
  'users.limits.failedLogins': ['identity/accounts/failed-logins.test.ts', 'take no more memory'],
  'users.limits.failuresPerAddress': [
    'torture/hostile-clients/users.test.ts',
    'failuresPerAddress',
  ],
  'tasks.patienceSeconds': ['redfish/tasks/tasks.test.ts', 'patience'],
  'tasks.tasks': ['torture/hostile-clients/users.test.ts', 'maxTasks'],
  'users.policy.lockoutThreshold': ['torture/hostile-clients/users.test.ts', 'shut out'],
  'users.policy.lockoutSeconds': ['identity/accounts/failed-logins.test.ts', 'after their time'],
  'users.policy.lockoutResetSeconds': [
    'identity/accounts/failed-logins.test.ts',
    'after their time',
  ],
  'events.subscriptionsPerUser': ['redfish/events/subscriptions.test.ts', 'no more of one user'],
  'events.streamsPerUser': ['torture/hostile-clients/users.test.ts', 'streamsPerUser'],
  'events.bufferedEvents': ['redfish/events/certificate-status.test.ts', 'bufferedEvents'],
  'events.queuedEvents': ['redfish/events/delivery-queue.test.ts', 'drops the oldest'],
  'events.unreadBytes': ['redfish/events/event-streams.test.ts', 'never reads'],
  'events.loginCheckSeconds': [
    'redfish/client-certificates/open-connections.test.ts',
    'goes on while',
  ],
  'events.deliverySeconds': ['torture/hostile-clients/users.test.ts', 'deliverySeconds'],
  'events.responseBytes': ['outbound/destination.test.ts', 'no further than the limit'],
  'events.retryAttempts': ['redfish/events/delivery-queue.test.ts', 'used up its retries'],
  'events.longestBackoffSeconds': ['redfish/events/delivery-queue.test.ts', 'longestBackoff'],
  'clientCertificates.nameBytes': [
    'redfish/client-certificates/login.test.ts',
    'more authorities than a handshake can name',
  ],
  'clientCertificates.chainCertificates': [
    'redfish/client-certificates/tls-service.ts',
    'chainCertificates',
  ],
  'clientCertificates.handshakeBytes': ['tls/handshake-limiter.test.ts', 'handshakeBytes'],
  'clientCertificates.largeHandshakeBytes': [
    'tls/handshake-limiter.test.ts',
    'largeHandshakeBytes',
  ],
  'clientCertificates.suspendSeconds': ['tls/handshake-limiter.test.ts', 'is over'],
  'clientCertificates.turnMilliseconds': ['tls/handshake-limiter.test.ts', 'turnMilliseconds'],
  'clientCertificates.stalledHandshakes': ['tls/handshake-limiter.test.ts', 'stalledHandshakes'],
  'clientCertificates.rememberedAddresses': [
    'tls/handshake-limiter.test.ts',
    'as many addresses as configured',
  ],
  'clientCertificates.perAccount': ['redfish/resources/account-certificates.test.ts', 'perAccount'],
  'clientCertificates.accountCertificateBytes': [
    'redfish/resources/account-certificates.test.ts',
    'accountCertificateBytes',
  ],
};

/** How often something is done or looked at, which no client reaches. */
const rhythms = [
  ...['limits.sessionWriteSeconds', 'limits.sessionIdleWriteSeconds', 'events.statusCheckSeconds'],
  ...['events.retryIntervalSeconds'],
];

const accounts = '/redfish/v1/AccountService/Accounts';
const subscriptions = '/redfish/v1/EventService/Subscriptions';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const stream = '/redfish/v1/EventService/SSE';

describe('the limits of clients', () => {
  let target: Target;
  let operator: Operator;
  const reached = new Set<string>();

  before(async () => {
    target = await startTarget({ limits, events }, { users });
    operator = await operatorOf(target);
  });
  after(() => target?.stop());

  const asOperator = (path: string, more: Ask = {}) =>
    ask(target, path, { token: operator.token, ...more });
  const account = (UserName: string, Password: string) => ({
    body: { UserName, Password, RoleId: 'ReadOnly' },
  });
  const subscription = { Destination: 'https://192.0.2.1/', Protocol: 'Redfish' };
  const header = (length: number) => ({ [`X-${'a'.repeat(20)}`]: 'b'.repeat(length) });

  const refusals: Readonly<Record<string, readonly [string, Ask, number]>> = {
    'limits.uriBytes': [`/redfish/v1?${'a'.repeat(300)}`, {}, 414],
    'limits.jsonBytes': [accounts, { body: { a: 'x'.repeat(4096) } }, 413],
    'limits.bodyBytes': [truststore, { body: 'x'.repeat(8193) }, 413],
    'limits.headerBytes': ['/redfish/v1', { headers: { X: 'x'.repeat(1100) } }, 431],
    'limits.expandLevels': ['/redfish/v1?$expand=*($levels=2)', {}, 400],
    'limits.expandedResources': ['/redfish/v1?$expand=*', {}, 507],
    'limits.filterCharacters': [`${accounts}?$filter=UserName%20eq%20'${'a'.repeat(60)}'`, {}, 400],
    'limits.filterDepth': [`${accounts}?$filter=(((UserName%20eq%20'a')))`, {}, 400],
    'limits.selectedMembers': ['/redfish/v1?$select=Id,Name,Links', {}, 400],
    'users.policy.minPasswordLength': [accounts, account('short', 'too-short'), 400],
    'users.policy.maxPasswordLength': [accounts, account('long', 'too-long'.repeat(6)), 400],
    'events.headers': [
      subscriptions,
      { body: { ...subscription, HttpHeaders: [{ A: 'x' }, { B: 'x' }, { C: 'x' }] } },
      400,
    ],
    'events.headerCharacters': [
      subscriptions,
      { body: { ...subscription, HttpHeaders: [header(100)] } },
      400,
    ],
    'events.filterCharacters': [`${stream}?$filter=EventType%20eq%20'${'a'.repeat(60)}'`, {}, 400],
    'events.filterDepth': [`${stream}?$filter=((EventType%20eq%20'Alert'))`, {}, 400],
  };
  for (const [name, [path, request, status]] of Object.entries(refusals)) {
    it(`has ${name}: what goes beyond it is answered ${status}`, async () => {
      const { status: answered, body } = await asOperator(path, request);
      assert.equal(answered, status, body);
      reached.add(name);
    });
  }

  it('has users.limits.accounts and events.subscriptions: one more is refused', async () => {
    assert.equal((await asOperator(accounts, account('second', 'long-enough-1'))).status, 201);
    const third = await asOperator(accounts, account('third', 'long-enough-1'));
    assert.equal(third.status, 400);
    assert.match(third.body, /CreateLimitReachedForResource/);
    assert.equal((await asOperator(subscriptions, { body: subscription })).status, 201);
    const other = await asOperator(subscriptions, { body: subscription });
    assert.equal(other.status, 503);
    assert.match(other.body, /EventSubscriptionLimitExceeded/);
    for (const name of ['users.limits.accounts', 'events.subscriptions']) reached.add(name);
  });

  it('has limits.gzipBytes: what is smaller is not compressed', async () => {
    const headers = { 'Accept-Encoding': 'gzip' };
    assert.match((await asOperator('/redfish/v1', { headers })).head, /content-encoding: gzip/i);
    assert.doesNotMatch((await asOperator('/redfish', { headers })).head, /content-encoding/i);
    reached.add('limits.gzipBytes');
  });

  it('has limits.unansweredRequests: one more closes the connection', async () => {
    const { closed, statuses } = await say(target, requestOf('/redfish/v1', {}).repeat(30));
    assert.deepEqual([closed, statuses], [true, []]);
    reached.add('limits.unansweredRequests');
  });

  it('has events.streams and events.keepAliveSeconds', async () => {
    const open = await shakeHands(target, '127.1.0.1');
    let text = '';
    open?.on('data', (chunk) => {
      text += chunk;
    });
    open?.write(requestOf(stream, { token: operator.token }));
    await until('a sign of life', () => text.includes(': alive'));
    assert.equal((await asOperator(stream)).status, 503);
    open?.destroy();
    for (const name of ['events.streams', 'events.keepAliveSeconds']) reached.add(name);
  });

  it('has limits.handshakeSeconds, limits.idleSeconds and limits.requestSeconds', async () => {
    const quiet = silent(target, '127.1.0.1').resume();
    const idle = await shakeHands(target, '127.1.0.2');
    idle?.resume().write(requestOf('/redfish/v1', {}));
    const half = `POST ${sessionsUri} HTTP/1.1\r\nHost: bmc\r\nContent-Length: 9\r\n\r\n{`;
    const [body, head] = await Promise.all([
      say(target, half),
      say(target, 'GET /redfish/v1 HTTP/1.1\r\nHost: b'),
    ]);
    assert.deepEqual([body.statuses, head.statuses], [[408], [408]]);
    await until('both are gone', () => quiet.destroyed && idle?.destroyed);
    for (const name of ['handshake', 'idle', 'request']) reached.add(`limits.${name}Seconds`);
  });

  it('has limits.sessions and users.limits.queuedLogins', async () => {
    const tried = await Promise.all(
      attackers(6).map((from) => logIn(target, 'admin', target.password, from)),
    );
    assert.ok(
      tried.some(({ status }) => status === 503),
      tried.map(({ status }) => status).join(),
    );
    const tokens: string[] = [];
    while (tokens.length < limits.sessions + 1) {
      const { status, token } = await logIn(target, 'admin', target.password);
      if (status === 201) tokens.push(token);
    }
    const [first = '', second = ''] = tokens;
    assert.equal((await ask(target, accounts, { token: first })).status, 401);
    assert.equal((await ask(target, accounts, { token: second })).status, 200);
    for (const name of ['limits.sessions', 'users.limits.queuedLogins']) reached.add(name);
  });

  it('are all reached by some test', () => {
    const page = readFileSync('docs/configuration.md', 'utf8');
    const documented = [
      ...page.matchAll(/^\| `(?:redfish\.|(?=users\.))([\w.]+)` \| integer/gm),
    ].map(([, name = '']) => name);
    const groups = /^(?:limits|events|tasks|users\.limits|users\.policy|clientCertificates)\./;
    const known = new Set([...reached, ...Object.keys(elsewhere), ...rhythms]);
    assert.deepEqual(
      documented.filter((name) => groups.test(name) && !known.has(name)),
      [],
    );
    for (const [name, [file, word]] of Object.entries(elsewhere)) {
      assert.ok(existsSync(`test/${file}`), `${name}: ${file}`);
      assert.ok(
        readFileSync(`test/${file}`, 'utf8').includes(word),
        `${name}: ${file} says ${word}`,
      );
    }
    figure('hostile-clients', 'limits that were reached over the wire', reached.size);
  });
});
