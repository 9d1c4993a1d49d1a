import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { until } from '../../e2e/commands.ts';
import { extent, figure } from '../extent.ts';
import {
  type BadReceiver,
  badKinds,
  startBadReceiver,
  startGoodReceiver,
  startRedirection,
} from './bad-receivers.ts';
import {
  type Ask,
  ask,
  attackers,
  logIn,
  requestOf,
  say,
  sessionsUri,
  shakeHands,
} from './clients.ts';
import { type Operator, operatorOf } from './operator.ts';
import { startTarget, type Target } from './target.ts';

const area = 'hostile-clients';
const accounts = '/redfish/v1/AccountService/Accounts';
const eventService = '/redfish/v1/EventService';
const subscriptions = `${eventService}/Subscriptions`;
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const tasks = '/redfish/v1/TaskService/Tasks';
const readerPassword = 'reader-of-things';

const limits = {
  ...{ sessions: 30, sessionsPerUser: 6 },
  // As many as a storm of changes has
  changesPerUser: 100,
};
const users = { limits: { queuedLogins: 10, failuresPerAddress: 8 } };
const maxTasks = 4;
const events = {
  allowLoopback: true,
  ...{ deliverySeconds: 1, retryAttempts: 1, retryIntervalSeconds: 1 },
  ...{ streams: 6, streamsPerUser: 3, subscriptions: 12, subscriptionsPerUser: 12 },
};

describe('a client who abuses what it may do', () => {
  let target: Target;
  let operator: Operator;
  let reader: string;

  before(async () => {
    const forTasks = { tasks: maxTasks, patienceSeconds: 30 };
    target = await startTarget({ limits, events, tasks: forTasks }, { users });
    operator = await operatorOf(target);
    const body = { UserName: 'reader', Password: readerPassword, RoleId: 'ReadOnly' };
    const made = await ask(target, accounts, { token: operator.token, body });
    assert.equal(made.status, 201, made.body);
    reader = (await logIn(target, 'reader', readerPassword)).token;
  });
  after(() => target?.stop());

  const asOperator = (path: string, more: Ask = {}) =>
    ask(target, path, { token: operator.token, ...more });
  const basic = (name: string, password: string) => ({
    Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
  });

  it('and guesses a password is shut out at its address, whichever way it goes, and nobody else', async () => {
    const from = '127.3.0.1';
    const guess = async (at: number) => {
      if (at % 2) return (await logIn(target, 'admin', `guess-${at}`, from)).status;
      return (await ask(target, accounts, { from, headers: basic('admin', `guess-${at}`) })).status;
    };
    for (let at = 0; at < 5; at += 1) assert.equal(await guess(at), 401);
    assert.equal((await logIn(target, 'admin', target.password, from)).status, 401);
    const right = { from, headers: basic('admin', target.password) };
    assert.equal((await ask(target, accounts, right)).status, 401);
    // The session that somebody has is no matter of passwords
    assert.equal((await ask(target, accounts, { from, token: operator.token })).status, 200);
    assert.equal((await logIn(target, 'admin', target.password)).status, 201);
    assert.equal((await logIn(target, 'admin', target.password, '127.3.0.2')).status, 201);
  });

  it('and guesses with many names must wait, though it knows one that is right', async () => {
    const from = '127.3.1.1';
    for (let at = 0; at <= users.limits.failuresPerAddress; at += 1)
      assert.equal((await logIn(target, `name-${at}`, 'x', from)).status, 401);
    assert.equal((await logIn(target, 'reader', readerPassword, from)).status, 401);
    assert.equal((await logIn(target, 'reader', readerPassword)).status, 201);
  });

  it('and guesses from many addresses at once keeps the operator out for moments at most', async () => {
    const many = extent({ quick: 16, long: 60 });
    const rounds = extent({ quick: 2, long: 12 });
    let guesses = 0;
    let over = false;
    const guessing = attackers(many).map(async (from, who) => {
      for (let at = 0; at < rounds && !over; at += 1) {
        const { status } = await logIn(target, `name-${who}-${at}`, 'x', from);
        assert.ok(status === 401 || status === 503, `${status}`);
        guesses += 1;
      }
    });
    // As the answer asks for: 503 comes with Retry-After
    let refused = 0;
    let came = 0;
    for (; came < extent({ quick: 1, long: 5 }); ) {
      const { status, token, session } = await logIn(target, 'admin', target.password);
      if (status === 201) came += 1;
      else refused += 1;
      // His sessions have a limit too
      if (status === 201) await ask(target, session, { method: 'DELETE', token });
      assert.ok(refused < 40, `${refused} times refused`);
    }
    over = true;
    await Promise.all(guessing);
    figure(
      area,
      `logins: guesses from ${many} addresses while the operator came in ${came} times`,
      guesses,
    );
    figure(area, 'logins: how often the operator had to come again', refused);
    await operator.isServed();
  });

  it('and opens sessions ends its own with them, not those of others', async () => {
    const tokens: string[] = [];
    for (let at = 0; at < extent({ quick: 8, long: 40 }); at += 1)
      tokens.push((await logIn(target, 'reader', readerPassword)).token);
    const [first = '', last = ''] = [tokens[0], tokens.at(-1)];
    assert.equal((await ask(target, sessionsUri, { token: first })).status, 401);
    const { body } = await ask(target, sessionsUri, { token: last });
    assert.equal(JSON.parse(body)['Members@odata.count'], limits.sessionsPerUser);
    await operator.isServed();
    reader = last;
  });

  it('and wants requests for certificates without end gets as many tasks as there may be', async () => {
    const body = {
      CertificateCollection: { '@odata.id': https },
      CommonName: 'bmc',
      KeyPairAlgorithm: 'EC',
    };
    const statuses: number[] = [];
    const many = extent({ quick: 10, long: 100 });
    await Promise.all(
      Array.from({ length: many }, async (_, at) => {
        const headers = { Prefer: 'respond-async' };
        const { status } = await asOperator(generate, {
          body,
          headers,
          from: attackers(10)[at % 10] ?? '',
        });
        statuses.push(status);
      }),
    );
    assert.ok(
      statuses.every((status) => status === 202 || status === 503),
      statuses.join(),
    );
    assert.ok(statuses.includes(202) && statuses.includes(503), statuses.join());
    const shown = JSON.parse((await asOperator(tasks)).body).Members.length;
    // Those whose certificate has not come are listed too, sixteen of them at most
    assert.ok(shown <= maxTasks + 16, `${shown} tasks`);
    await operator.isServed();
    await until('the last request is made', async () => {
      const { status } = await asOperator(generate, { body: { ...body, CommonName: 'last' } });
      return status === 200;
    });
    figure(area, 'requests for certificates: asked for at once', many);
    figure(area, 'requests for certificates: made', statuses.filter((one) => one === 202).length);
  });

  it('and changes what others change is told so, all but one', async () => {
    const path = '/redfish/v1/AccountService';
    const storm = extent({ quick: 10, long: 100 });
    for (let round = 0; round < extent({ quick: 2, long: 6 }); round += 1) {
      const { head } = await asOperator(path);
      const tag = /^etag: (\S+)/im.exec(head)?.[1] ?? '';
      const answers = await Promise.all(
        Array.from({ length: storm }, (_, at) =>
          asOperator(path, {
            method: 'PATCH',
            headers: { 'If-Match': tag },
            body: { AccountLockoutDuration: 400 + round * storm + at },
            from: attackers(10)[at % 10] ?? '',
          }),
        ),
      );
      const count = (status: number) => answers.filter((one) => one.status === status).length;
      assert.deepEqual([count(200), count(412)], [1, storm - 1]);
    }
  });

  it('and expands everything costs others little', async () => {
    const before = target.takes('redfish-server').megabytes;
    const path = '/redfish/v1?$expand=*($levels=3)';
    const storm = extent({ quick: 2, long: 20 });
    let max = before;
    const asked = attackers(storm).map(async (from) => {
      const bytes = requestOf(path, { token: reader }).repeat(8);
      const { statuses } = await say(target, bytes, { from, answers: 8 });
      max = Math.max(max, target.takes('redfish-server').megabytes);
      assert.equal(statuses.length, 8);
      assert.ok(
        statuses.every((status) => status === 200 || status === 507),
        statuses.join(),
      );
    });
    await operator.isServed();
    await Promise.all(asked);
    figure(area, '$expand of everything: asked for at once', storm * 8);
    figure(area, '$expand of everything: most memory over that at rest, MB', max - before);
    assert.ok(max - before < 150, `${before} to ${max} MB`);
  });

  it('and opens streams that it does not read has its share of them', async () => {
    const request = requestOf(`${eventService}/SSE`, { token: operator.token });
    const open: TLSSocket[] = [];
    const statuses: number[] = [];
    for (let at = 0; at < 5; at += 1) {
      const socket = await shakeHands(target, attackers(5)[at] ?? '');
      assert.ok(socket);
      open.push(socket);
      socket.write(request);
      await new Promise((resolve) => socket.once('readable', resolve));
      statuses.push(Number(String(socket.read()).slice(9, 12)));
      socket.pause();
    }
    assert.deepEqual(statuses, [200, 200, 200, 503, 503]);
    const submit = `${eventService}/Actions/EventService.SubmitTestEvent`;
    for (let at = 0; at < extent({ quick: 5, long: 600 }); at += 1)
      assert.equal(
        (await asOperator(submit, { body: { MessageId: 'ResourceEvent.1.3.TestMessage' } })).status,
        204,
      );
    await operator.isServed();
    for (const socket of open) socket.destroy();
    await until('the places are free', async () => {
      const { body } = await asOperator(subscriptions);
      return JSON.parse(body)['Members@odata.count'] === 0;
    });
  });

  it('and names receivers that do not behave holds up no event for others', async (test) => {
    const good = await startGoodReceiver();
    const elsewhere = await startGoodReceiver();
    const bad = await Promise.all(badKinds.map(startBadReceiver));
    const all: readonly BadReceiver[] = [good, await startRedirection(elsewhere.url), ...bad];
    test.after(() => {
      for (const one of [...all, elsewhere]) one.close();
    });
    const before = target.takes('redfish-server');
    const places: string[] = [];
    for (const { url } of all) {
      const body = { Destination: url, Protocol: 'Redfish', DeliveryRetryPolicy: 'RetryForever' };
      const { head, status, body: text } = await asOperator(subscriptions, { body });
      assert.equal(status, 201, text);
      places.push(/^location: (\S+)/im.exec(head)?.[1] ?? '');
    }
    const submit = `${eventService}/Actions/EventService.SubmitTestEvent`;
    const many = extent({ quick: 6, long: 100 });
    for (let at = 0; at < many; at += 1) {
      const sent = await asOperator(submit, {
        body: { MessageId: 'ResourceEvent.1.3.TestMessage' },
      });
      assert.equal(sent.status, 204, sent.body);
    }
    await until('the good receiver has them', () => good.visits() >= many);
    await until('the bad ones were tried', () => all.every((one) => one.visits() > 0));
    const now = target.takes('redfish-server');
    assert.ok(now.megabytes - before.megabytes < 80, `${before.megabytes} to ${now.megabytes} MB`);
    assert.ok(now.descriptors - before.descriptors <= 2 * all.length);
    for (const place of places)
      assert.equal((await asOperator(place, { method: 'DELETE' })).status, 200);
    await until('the descriptors are back', () => {
      return target.takes('redfish-server').descriptors <= before.descriptors + 1;
    });
    assert.equal(elsewhere.visits(), 0, 'a redirection is not followed');
    figure(area, 'receivers that do not behave: kinds', all.length - 1);
    figure(area, 'receivers that do not behave: events that the good one got meanwhile', many);
    await operator.isServed();
  });

  it('leaves no fault, no secret and few lines in the log', async () => {
    await operator.isServed();
    const lines = target.output().split('\n');
    assert.doesNotMatch(
      target.output(),
      /request failed|task failed|program ended|unexpected error/,
    );
    for (const secret of [target.password, readerPassword, operator.token, reader, 'guess-1'])
      assert.ok(!target.output().includes(secret));
    assert.ok(lines.filter((line) => line.includes('request put off')).length <= 1000);
    figure(area, 'users: lines of log', lines.length);
    figure(area, 'users: longest wait of the operator, ms', operator.longestWait());
  });
});
