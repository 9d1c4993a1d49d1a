import { CertError } from '../../core/cert-error.ts';
import type { ServiceReload } from '../../manager/administration.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import { expiryOf } from '../../manager/expiry.ts';
import { operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import type { Fields, Row } from '../framework/fields.ts';
import type { Manager } from '../road.ts';
import {
  endpointValue,
  mustHave,
  nameOf,
  originField,
  originOf,
  shownEndpoints,
} from '../targets.ts';

const serviceFields = {
  service: { type: 'text', title: 'Service', about: 'a systemd unit or a pid file' },
  outcome: {
    type: 'text',
    title: 'Outcome',
    about: '`Never`, `Reloading`, `Reloaded`, `NotRunning`, `Retrying` or `Failed`',
    tones: { Reloaded: 'good', NotRunning: 'warning', Retrying: 'bad', Failed: 'bad' },
  },
  reason: { type: 'text', title: 'Reason', about: 'why the last attempt failed; empty if not' },
  at: { type: 'time', optional: true, title: 'When', about: 'time of the last attempt' },
  attempts: { type: 'number', about: 'attempts since the change' },
} as const satisfies Fields;

export const reload = operatorCommand({
  name: 'reload',
  summary: 'tell the services of an endpoint again to read their files',
  arguments: { endpoint: { kind: endpointValue, about: 'such as `server/https`' } },
  answersList: true,
  fields: serviceFields,
  examples: [{ command: 'reload server/https', about: 'After a service was repaired' }],
  async run({ args: { endpoint }, context }) {
    const { client, administration } = await context.manager();
    mustHave(client, endpoint);
    await administration.reload(endpoint);
    const data = (await administration.services(endpoint)).map(serviceRow);
    const isBad = data.some(({ outcome }) => outcome === 'Failed' || outcome === 'Retrying');
    const text = data.length > 0 ? {} : { text: `${nameOf(endpoint)} has no services to tell.\n` };
    return { data, ...text, status: isBad ? 'failed' : 'done' };
  },
});

export const status = operatorCommand({
  name: 'status',
  summary: 'show the state of endpoints, CSRs and services',
  arguments: { endpoints: shownEndpoints },
  answersList: true,
  fields: {
    endpoint: { type: 'text', title: 'Endpoint', about: 'such as `server/https`' },
    origin: originField,
    certificates: { type: 'number', title: 'Certs', about: 'how many it has' },
    daysLeft: {
      type: 'number',
      optional: true,
      title: 'Days',
      about: 'until the first of them expires',
    },
    warnings: { type: 'number', title: 'Warnings', about: 'how many the manager has of them' },
    pending: {
      type: 'number',
      optional: true,
      title: 'Pending',
      about:
        'CSRs that wait for their certificates; null for a user who may not know, and for a service that does not tell',
    },
    replacement: {
      type: 'text',
      title: 'Replacement',
      about: '`None`, `Staged` or `Active`',
      tones: { Staged: 'warning', Active: 'warning' },
    },
    deadline: {
      type: 'time',
      optional: true,
      title: 'Rolled back',
      about: 'when the replacement is rolled back unless it is committed',
    },
    reloads: { type: 'texts', title: 'Services', about: 'each service with the outcome' },
    services: { type: 'rows', about: 'the same in full', fields: serviceFields },
  },
  examples: [{ command: 'status', about: 'All endpoints' }],
  async run({ args, context }) {
    const manager = await context.manager();
    for (const endpoint of args.endpoints) mustHave(manager.client, endpoint);
    const all = args.endpoints.length > 0 ? args.endpoints : manager.client.endpoints();
    return { data: await Promise.all(all.map((endpoint) => statusOf(manager, endpoint))) };
  },
});

async function statusOf({ client, administration }: Manager, endpoint: EndpointRef) {
  const certificates = client.list(endpoint);
  const days = certificates.map(
    ({ certificate }) => expiryOf(certificate, Date.now(), []).daysLeft,
  );
  const services = (await administration.services(endpoint)).map(serviceRow);
  const { state, deadline } = await administration.replacement(endpoint);
  return {
    endpoint: nameOf(endpoint),
    origin: originOf(client, endpoint),
    certificates: certificates.length,
    daysLeft: days.length === 0 ? null : Math.min(...days),
    warnings: certificates.flatMap(({ findings }) => findings?.warnings ?? []).length,
    pending: await pendingAt(client, endpoint),
    replacement: state,
    deadline: deadline ?? null,
    reloads: services.map(({ service, outcome }) => `${service}: ${outcome}`),
    services,
  };
}

/** A user who may not change certificates may not see CSRs, and sees the rest; nor do all services tell of CSRs. */
async function pendingAt(client: Manager['client'], endpoint: EndpointRef): Promise<number | null> {
  try {
    return (await client.outstanding(endpoint)).length;
  } catch (error) {
    if (error instanceof CertError && error.code === 'access-denied') return null;
    if (error instanceof CommandError && error.kind === 'unsupported') return null;
    throw error;
  }
}

function serviceRow(told: ServiceReload): Row<typeof serviceFields> {
  const { service, outcome, reason, at = null, attempts } = told;
  return { service, outcome, reason, at, attempts };
}
