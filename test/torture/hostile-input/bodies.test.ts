import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as validators from '../../../schemas/generated/validators.js';
import { SetupError } from '../../../src/core/setup-error.ts';
import { parseConfiguration } from '../../../src/platform/configuration.ts';
import { contentOf, submittedContent } from '../../../src/redfish/certificates/submitted.ts';
import { makeBody } from '../../../src/redfish/http/request-body.ts';
import { renderErrors } from '../../../src/redfish/messages/base-registry.ts';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';
import { bodySamples } from './body-samples.ts';
import { campaign, isManagersRefusal } from './campaign.ts';
import { jsonMutators } from './mutate-json.ts';
import { textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const mutators = [...jsonMutators, ...jsonMutators, ...textMutators, ...byteMutators];

/** A refusal must also be one that can be sent. */
function isSendable(error: unknown): boolean {
  if (isManagersRefusal(error)) return true;
  if (!(error instanceof RedfishError) || error.status >= 500) return false;
  return JSON.stringify(renderErrors(error.messages)).length < 20_000;
}

it('a body of any operation is refused by the names of its members, or has the type that it should', async () => {
  const operations = Object.entries(bodySamples);
  await campaign({
    name: 'JSON body',
    // The first byte says which operation the body is for
    corpus: operations.flatMap(([, samples], n) =>
      samples.map((sample) => Buffer.concat([Buffer.of(0x30 + n), json(sample)])),
    ),
    mutators: mutators.map((change) => (input, dice, other) => {
      return Buffer.concat([
        input.subarray(0, 1),
        change(input.subarray(1), dice, other.subarray(1)),
      ]);
    }),
    isRefusal: isSendable,
    attempt(input) {
      const [name] = operations[(input[0] ?? 0) % operations.length] ?? ['Renew'];
      const validator: unknown = Reflect.get(validators, `validate${name}`);
      const options = { action: name, references: ['CertificateUri', 'CertificateCollection'] };
      submittedContent(makeBody(input.subarray(1)), { uri: '/redfish/v1/Certificates' });
      const body = makeBody(input.subarray(1));
      const members = body.parse<object>(validator as never, options);
      // The bus cannot carry it
      assert.doesNotMatch(JSON.stringify(members), /\\u0000/);
      if ('CertificateString' in members) contentOf(members as never);
      return `${name} ${Object.keys(members).length}`;
    },
  });
});

it('a configuration is refused in a sentence that quotes none of it, or is complete', async () => {
  const configuration = {
    stateDirectory: '/var/lib/x',
    runtimeDirectory: 'run',
    bus: 'unix:path=/run/bus',
    endpoints: [
      {
        type: 'server',
        name: 'https',
        path: 'https/server.pem',
        reload: [{ unit: 'nginx.service' }],
      },
      { type: 'authority', name: 'truststore', path: 'authority', reload: [{ pidFile: 'a.pid' }] },
    ],
    redfish: { port: 443 },
    users: { policy: { minPasswordLength: 8 } },
  };
  await campaign({
    name: 'configuration',
    corpus: [json(configuration), json({ endpoints: [] })],
    mutators,
    isRefusal: (error) => error instanceof SetupError,
    attempt(input) {
      const parsed = parseConfiguration(input.toString(), 'x.json');
      return `${parsed.endpoints.length} ${parsed.users.policy.minPasswordLength > 0}`;
    },
  });
});
