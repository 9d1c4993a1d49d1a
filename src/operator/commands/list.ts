import type { EndpointRef } from '../../manager/certificate-client.ts';
import { noSummary, optionalSummaryFields, summaryOf } from '../certificate-view.ts';
import { operatorCommand } from '../context.ts';
import { listed, quietOption } from '../names.ts';
import type { Manager } from '../road.ts';
import { mustHave, nameOf, originField, originOf, shownEndpoints } from '../targets.ts';

export const list = operatorCommand({
  name: 'list',
  summary: 'show all endpoints and their certificates',
  about: [
    'An endpoint without a certificate has a row, too. Those that came at run time are among them.',
  ],
  arguments: { endpoints: shownEndpoints },
  options: quietOption,
  answersList: true,
  fields: {
    where: {
      type: 'text',
      title: 'Where',
      about: 'name of the certificate, or of an endpoint that is empty',
    },
    endpoint: { type: 'text', about: 'such as `server/https`' },
    id: { type: 'text', optional: true, about: 'number of the certificate' },
    ...optionalSummaryFields,
    origin: originField,
  },
  examples: [
    { command: 'list', about: 'All endpoints and certificates' },
    { command: 'list --json | jq ".[] | select(.daysLeft < 30)"', about: 'What expires soon' },
  ],
  async run({ args, options, context }) {
    const manager = await context.manager();
    for (const endpoint of args.endpoints) mustHave(manager.client, endpoint);
    const endpoints = args.endpoints.length > 0 ? args.endpoints : manager.client.endpoints();
    const data = (await Promise.all(endpoints.map((one) => rowsOf(manager, one)))).flat();
    return listed(data, options.quiet, ({ where }) => where);
  },
});

async function rowsOf({ client, administration }: Manager, endpoint: EndpointRef) {
  const name = nameOf(endpoint);
  const certificates = client.list(endpoint);
  const origin = originOf(client, endpoint);
  if (certificates.length === 0)
    return [{ where: name, endpoint: name, id: null, ...noSummary, origin }];
  const expiry = await administration.expiry(endpoint);
  return certificates.map(({ id, certificate }) => ({
    where: nameOf(endpoint, id),
    endpoint: name,
    id,
    ...summaryOf(certificate, expiry.get(id)),
    origin,
  }));
}
