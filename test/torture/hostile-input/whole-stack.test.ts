import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { curl, logIn } from '../../e2e/redfish-client.ts';
import {
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../../e2e/stack.ts';
import { snapshot } from '../../fakes/manager-world.ts';
import { extent } from '../extent.ts';
import { bodySamples } from './body-samples.ts';
import { campaign } from './campaign.ts';
import { asRequest, bodyMutators, requestCorpus, sendRaw } from './http-request.ts';
import { textMutators } from './mutate-text.ts';
import { nastyEncodings } from './nasty-encodings.ts';
import { nastyFields } from './nasty-fields.ts';
import { nastyFiles } from './nasty-files.ts';
import { nastyKeys } from './nasty-keys.ts';

const v1 = '/redfish/v1';
const truststore = `${v1}/Managers/bmc/Truststore/Certificates`;
/** The state of the endpoint; those of sessions and events go on by themselves. */
function authorities(directory: string) {
  return snapshot(join(directory, 'authority.generations'));
}

/** In bytes; what is smaller fits into every limit of size. */
const smallest413 = 65_536;

const isLong = extent({ quick: false, long: true });
const max = /infinity|10 000|16384|NUL in a name|UUID|40 kB/;
const nasty = [...nastyKeys, ...nastyFields, ...nastyEncodings, ...nastyFiles].filter(
  ({ to, format, what }) =>
    to === 'authority' && format === undefined && (isLong || max.test(what)),
);
/** Left alone, for after them nobody could log in. */
const { AccountServicePatch: _, AccountPatch: __, ...bodies } = bodySamples;

describe('the whole stack, over HTTPS and a real bus', () => {
  const directory = temporaryDirectory();
  let stack: RunningStack;
  let token: string;

  before(async () => {
    stack = await startStack(directory);
    token = await logIn(stack.url, stack.password);
  });

  after(async () => {
    await stack?.stop();
    removeDirectory(directory);
  });

  it('refuses nasty certificates without a trace, and shows those that it accepts', async () => {
    for (const { what, content, verdict } of nasty) {
      const before = authorities(directory);
      const body = content().toString();
      const answer = await curl(`${stack.url}${truststore}`, { token, body });
      if (answer.status === 201) {
        assert.equal(verdict, 'accepted', what);
        const { location = '' } = answer.headers;
        assert.equal((await curl(`${stack.url}${location}`, { token })).status, 200, what);
        const gone = await curl(`${stack.url}${location}`, { token, method: 'DELETE' });
        assert.ok(gone.status < 300, `${what}: ${gone.text}`);
        continue;
      }
      // Where the limits of the two sides differ from the table, the size is what is refused
      assert.ok([400, 413].includes(answer.status), `${what}: ${answer.status} ${answer.text}`);
      if (answer.status === 413) assert.ok(body.length > smallest413, what);
      else if (verdict !== 'accepted') assert.match(answer.text, new RegExp(`${verdict}: `), what);
      assert.deepEqual(authorities(directory), before, what);
    }
    assert.doesNotMatch(stack.output(), /unexpected error|method failed|request failed|Assertion/);
  });

  it('answers no request with a fault', async () => {
    const port = Number(new URL(stack.url).port);
    await campaign({
      name: 'request to the whole stack',
      corpus: requestCorpus(bodies),
      mutators: [...textMutators, ...bodyMutators],
      async attempt(input) {
        const { status, text } = await sendRaw(port, asRequest(input, token), true);
        assert.ok(![500, 502].includes(status), text.slice(0, 1000));
        if (status === 401) token = await logIn(stack.url, stack.password);
        return `${status} ${/"MessageId": "([^"]+)"/.exec(text)?.[1]}`;
      },
    });
    assert.doesNotMatch(stack.output(), /unexpected error|method failed|Assertion|"internal/);
  });
});
