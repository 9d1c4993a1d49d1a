import type { EndpointRef } from '../../manager/certificate-client.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import { textValue } from '../framework/value-kind.ts';
import { listed } from '../names.ts';
import type { Manager } from '../road.ts';
import { endpointValue, mustHave, nameOf, shownEndpoints } from '../targets.ts';
import { csrFields, csrRow } from './csr.ts';

export const requests = operatorCommand({
  name: 'requests',
  summary: 'show the pending CSRs, which wait for their certificates',
  about: [
    'Oldest first. The manager gives up the oldest when there are more than `limits.pendingRequests`.',
  ],
  arguments: { endpoints: shownEndpoints },
  options: {
    quiet: { short: 'q', about: 'print nothing but ids, a line for each' },
  },
  answersList: true,
  fields: {
    ...csrFields,
    created: { type: 'time', title: 'Created', about: 'when the CSR was made' },
  },
  examples: [
    { command: 'requests', about: 'What waits for a certificate' },
    { command: 'requests --json | jq -r ".[0].pem"', about: 'The oldest CSR once more' },
  ],
  async run({ args, options, context }) {
    const { client } = await context.manager();
    for (const endpoint of args.endpoints) mustHave(client, endpoint);
    const all = args.endpoints.length > 0 ? args.endpoints : client.endpoints();
    const data = await Promise.all(all.map((endpoint) => rowsOf(client, endpoint)));
    return listed(data.flat(), options.quiet, ({ id }) => id);
  },
});

async function rowsOf(client: Manager['client'], endpoint: EndpointRef) {
  const pending = await client.outstanding(endpoint);
  return pending.map(({ pem, created }) => ({ ...csrRow(endpoint, pem), created }));
}

export const discard = operatorCommand({
  name: 'discard',
  summary: 'give up a pending CSR, together with its key',
  about: ['A certificate that comes for it later cannot be put into service.'],
  arguments: {
    endpoint: { kind: endpointValue, about: 'whose CSR it is, such as `server/https`' },
    id: {
      kind: { ...textValue('ID'), completion: { ask: 'requests --quiet' } },
      about: 'of `requests`, or the beginning of it',
    },
  },
  fields: {
    endpoint: { type: 'text', title: 'Endpoint', about: 'such as `server/https`' },
    id: { type: 'text', title: 'Id', about: 'of the CSR that is given up' },
  },
  examples: [{ command: 'discard server/https 3f9a', about: 'The CSR whose id begins so' }],
  async run({ args: { endpoint, id }, context }) {
    const { client, administration } = await context.manager();
    mustHave(client, endpoint);
    const pending = await client.outstanding(endpoint);
    const [found, another] = pending.filter((one) => one.id.startsWith(id.toLowerCase()));
    const where = nameOf(endpoint);
    if (!found || id === '') {
      throw new CommandError(
        'not-found',
        `${where} has no CSR ${id}; bmc-certs requests ${where} shows what there is.`,
      );
    }
    if (another)
      throw new CommandError('usage', `Several CSRs of ${where} begin with ${id}: give more.`);
    await administration.discard(endpoint, found.id);
    return {
      data: { endpoint: where, id: found.id },
      text: `${where}: CSR ${found.id} is given up\n`,
    };
  },
});
