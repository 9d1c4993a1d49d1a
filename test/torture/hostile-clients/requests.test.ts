import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { extent, figure } from '../extent.ts';
import { type Answer, type Ask, ask, type Heard, logIn, say, sessionsUri } from './clients.ts';
import { type Operator, operatorOf } from './operator.ts';
import { pathTricks } from './path-tricks.ts';
import { shapes } from './request-shapes.ts';
import { startTarget, type Target } from './target.ts';

const area = 'hostile-clients';
const accountService = '/redfish/v1/AccountService';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';

describe('what a stranger sends', () => {
  let target: Target;
  let operator: Operator;
  let basic: string;
  const heard: Heard[] = [];

  before(async () => {
    target = await startTarget();
    operator = await operatorOf(target);
    basic = `Basic ${Buffer.from(`admin:${target.password}`).toString('base64')}`;
  });
  after(() => target?.stop());

  for (const [what, { statuses, bytes, goesOn }] of Object.entries(shapes)) {
    it(`has ${what}, and is answered with ${statuses.join(' and ') || 'nothing'}`, async () => {
      const all = await say(target, bytes, goesOn ? { answers: statuses.length } : {});
      heard.push(all);
      assert.deepEqual(all.statuses, statuses, all.text);
      if (!goesOn) assert.equal(all.closed, true);
    });
  }

  it('is no path to what needs a login, however it is written, and none for who is logged in', async () => {
    for (const path of pathTricks) {
      assert.equal((await ask(target, path)).status, 401, path);
      const { status } = await ask(target, path, { token: operator.token });
      assert.equal(status, 404, path);
    }
    figure(area, 'paths that are written otherwise', pathTricks.length);
  });

  it('comes back in no header of an answer', async () => {
    const evil = 'evil.example%0d%0aSet-Cookie:%20a=b';
    const answers: Answer[] = [];
    for (const Host of ['evil.example', 'evil.example:1', "a'b(script)", 'x'.repeat(4000), ''])
      answers.push(await ask(target, '/redfish/v1', { headers: { Host } }));
    const headers = {
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-For': '127.9.9.9',
      Forwarded: 'host=evil.example;for=127.9.9.9',
      'X-Original-URL': accountService,
      'X-Rewrite-URL': accountService,
      'X-HTTP-Method-Override': 'DELETE',
    };
    answers.push(await ask(target, '/redfish/v1', { headers }));
    answers.push(await ask(target, `/redfish/v1/${evil}`, { token: operator.token }));
    const name = 'evil\r\nSet-Cookie: a=b';
    for (const UserName of [name, 'evil.example', '../../evil.example'])
      answers.push(
        await ask(target, `${accountService}/Accounts`, {
          token: operator.token,
          body: { UserName, Password: 'long-enough-1', RoleId: 'ReadOnly' },
        }),
      );
    answers.push(
      await ask(target, sessionsUri, {
        body: { UserName: 'admin', Password: target.password, Context: name },
      }),
    );
    for (const { head, status } of answers) {
      assert.ok([200, 201, 400, 404].includes(status), `${status}`);
      assert.doesNotMatch(head, /set-cookie|evil\.example[^/\r\n]|127\.9\.9\.9|<script>/i);
    }
    const [first] = answers;
    assert.ok(first && answers.slice(1, 4).every(({ body }) => body === first.body));
  });

  it('cannot pass for another address', async () => {
    const headers = {
      'X-Forwarded-For': '10.1.1.1',
      'X-Real-IP': '10.1.1.1',
      Forwarded: 'for=10.1.1.1',
    };
    const body = { UserName: 'admin', Password: target.password };
    const { body: text } = await ask(target, sessionsUri, { body, headers, from: '127.1.9.9' });
    assert.equal(JSON.parse(text).ClientOriginIPAddress, '127.1.9.9');
  });

  it('is no change when only the browser of a user vouches for it', async () => {
    const [one, other] = [await browser(), await browser()];
    const change = { method: 'PATCH', body: { AccountLockoutThreshold: 5 } };
    const patch = (more: Ask) => ask(target, accountService, { ...change, ...more });
    const forms: Readonly<Record<string, Ask>> = {
      'with its cookies alone': { headers: { Cookie: one.cookie } },
      'with a wrong word': { headers: { Cookie: one.cookie, 'X-XSRF-TOKEN': 'a'.repeat(20) } },
      'with an empty word': { headers: { Cookie: one.cookie, 'X-XSRF-TOKEN': '' } },
      'with the word of another': { headers: { Cookie: one.cookie, 'X-XSRF-TOKEN': other.word } },
      'with its cookie for a word': {
        headers: { Cookie: `X-XSRF-TOKEN=${one.word}; ${one.cookie}` },
      },
    };
    for (const [what, form] of Object.entries(forms)) {
      assert.equal((await patch(form)).status, 401, what);
      const post = await ask(target, truststore, {
        ...form,
        method: 'POST',
        body: 'text=1',
        headers: { ...form.headers, 'Content-Type': 'text/plain' },
      });
      assert.equal(post.status, 401, what);
    }
    const own = { Cookie: one.cookie, 'X-XSRF-TOKEN': one.word };
    assert.equal((await patch({ headers: own })).status, 200);
    const foreign = { ...own, 'Sec-Fetch-Site': 'cross-site' };
    assert.equal((await patch({ headers: foreign })).status, 403);
  });

  const sites: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['a page of another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a page of a sister site', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['a page of another site in an old browser', { Origin: 'https://evil.example' }, 403],
    ['a page without an origin', { Origin: 'null' }, 403],
    ['a page of the service', { Origin: 'https://bmc' }, 400],
    ['no page at all', {}, 400],
  ];
  for (const [what, headers, status] of sites) {
    it(`is answered ${status} when ${what} lends Basic credentials to a form`, async () => {
      const form = { method: 'POST', body: 'not=a certificate' };
      const own = { Authorization: basic, 'Content-Type': 'text/plain', ...headers };
      assert.equal((await ask(target, truststore, { ...form, headers: own })).status, status);
    });
  }

  it('makes neither a fault of ours nor a line that tells a secret', async () => {
    await operator.isServed();
    const all = heard.flatMap(({ statuses }) => statuses);
    assert.equal(heard.length, Object.keys(shapes).length);
    assert.ok(all.every((status) => status < 500));
    assert.doesNotMatch(target.output(), /request failed|program ended|unexpected error/);
    for (const secret of [target.password, operator.token]) {
      assert.ok(!target.output().includes(secret));
      assert.ok(!heard.some(({ text }) => text.includes(secret)));
    }
    assert.ok(target.output().length < 20_000);
    figure(area, 'shapes of requests', heard.length);
  });

  it('finds out by no clock which names there are', async () => {
    const rounds = extent({ quick: 2, long: 15 });
    const times = { known: [] as number[], unknown: [] as number[] };
    const work = { known: 0, unknown: 0 };
    for (let round = 0; round < rounds; round += 1) {
      // Few failures of one address and name, so that no lock answers in place of a check
      const from = `127.2.0.${1 + round}`;
      for (const [kind, name] of [
        ['known', 'admin'],
        ['unknown', 'nobody1'],
      ] as const) {
        const began = performance.now();
        const before = target.takes('account-manager').processorTime;
        assert.equal((await logIn(target, name, 'wrong-password', from)).status, 401);
        work[kind] += target.takes('account-manager').processorTime - before;
        times[kind].push(performance.now() - began);
      }
    }
    const ratio = median(times.known) / median(times.unknown);
    figure(area, 'login with a wrong password: known over unknown name, medians', ratio.toFixed(2));
    figure(area, 'login with a wrong password: median, ms', Math.round(median(times.known)));
    // How long a client waits depends on what else the machine does; a missing check would be a tenth of the work
    isAlike(work.known, work.unknown);
  });

  it('finds out by no clock how much of a token is right', async () => {
    const { token } = operator;
    const wrong = (at: number) => {
      const other = token[at] === '0' ? '1' : '0';
      return token.slice(0, at) + other + token.slice(at + 1);
    };
    const guesses = { nothing: wrong(0), 'all but the last': wrong(token.length - 1) };
    const times = { nothing: [] as number[], 'all but the last': [] as number[] };
    const work = { nothing: 0, 'all but the last': 0 };
    for (let round = 0; round < extent({ quick: 60, long: 300 }); round += 1) {
      for (const right of ['nothing', 'all but the last'] as const) {
        const began = performance.now();
        const before = target.takes('redfish-server').processorTime;
        const answer = await ask(target, '/redfish/v1/Managers', { token: guesses[right] });
        assert.equal(answer.status, 401);
        work[right] += target.takes('redfish-server').processorTime - before;
        times[right].push(performance.now() - began);
      }
    }
    const ratio = median(times['all but the last']) / median(times.nothing);
    figure(
      area,
      'wrong token: all right but the last over nothing right, medians',
      ratio.toFixed(2),
    );
    isAlike(work.nothing, work['all but the last']);
  });

  /** What a browser holds after a login. */
  async function browser() {
    const body = { UserName: 'admin', Password: target.password };
    const headers = { 'X-Requested-With': 'XMLHttpRequest' };
    const { head } = await ask(target, sessionsUri, { body, headers });
    const cookies = [...head.matchAll(/^set-cookie: ([^;]+)/gim)].map(([, cookie = '']) => cookie);
    const word = cookies.find((one) => one.startsWith('XSRF-TOKEN='))?.slice(11) ?? '';
    assert.ok(cookies.length === 2 && word !== '');
    return { cookie: cookies.join('; '), word };
  }
});

/**
 * Whether two kinds of request are the same work for the processor. In the quick form, where the clock of the kernel counts few
 * steps and the first requests compile the code, only a missing check of a password is told apart.
 */
function isAlike(one: number, other: number): void {
  const max = extent({ quick: 5, long: 1.7 });
  assert.ok(one < max * other && other < max * one, `${one} ms and ${other} ms of the processor`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
