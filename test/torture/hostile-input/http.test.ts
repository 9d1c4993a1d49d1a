import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { samplePem, startService, type TestService } from '../../redfish/service.ts';
import { bodySamples } from './body-samples.ts';
import { campaign } from './campaign.ts';
import { asRequest, bodyMutators, requestCorpus, sendRaw } from './http-request.ts';
import { textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';

it('no request over HTTP is answered as a fault of the service, or not at all', async () => {
  const service = await startService();
  after(() => service.close());
  let token = await fresh(service);
  let requests = 0;
  await campaign({
    name: 'HTTP request',
    corpus: requestCorpus(bodySamples),
    mutators: [...textMutators, ...bodyMutators, ...byteMutators],
    async attempt(input) {
      requests += 1;
      if (requests % 100 === 0) token = await fresh(service);
      const { status, text } = await sendRaw(service.port, asRequest(input, token));
      // Whoever it was that ended the session, or took the account away
      if (status === 401) token = await fresh(service);
      const faults = service.log.filter((line) => line.startsWith('request failed'));
      service.log.length = 0;
      assert.deepEqual(faults, [], `answered with ${status}`);
      assert.ok(status !== 500, text.slice(0, 300));
      assert.doesNotMatch(text, /\bat .+\.[jt]s:\d+/, 'a stack trace');
      return `${status} ${/"MessageId": "([^"]+)"/.exec(text)?.[1]}`;
    },
  });
});

/** Everything that requests may have changed is as before. @returns the token of a new session */
async function fresh({ client, accounts, sessions, log }: TestService): Promise<string> {
  const truststore = { type: 'authority', name: 'truststore' } as const;
  for (const { id } of client.list(truststore)) await client.delete(truststore, id);
  client.put(truststore, '1', samplePem);
  client.put({ type: 'server', name: 'https' }, '1', samplePem);
  for (const { userName } of await accounts.list()) {
    if (userName !== 'admin') await accounts.changes.remove(userName);
  }
  const admin = await accounts.find('admin');
  if (admin?.role !== 'Administrator' || !admin.enabled) {
    await accounts.setPassword('admin', 'Administrator', 'admin-pw');
  }
  sessions.endAll();
  log.length = 0;
  return sessions.create({ userName: 'admin', address: '127.0.0.1' }).token;
}
