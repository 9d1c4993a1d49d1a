import type { EndpointRef } from '../../manager/certificate-client.ts';
import { operatorCommand } from '../context.ts';
import type { Fields } from '../framework/fields.ts';
import { fileValue, integerValue } from '../framework/value-kind.ts';
import { fileArgument, passwordOptions, readMaterial } from '../material.ts';
import type { Manager } from '../road.ts';
import { endpointOfType, endpointValue, mustHave, nameOf } from '../targets.ts';

const fields = {
  endpoint: { type: 'text', title: 'Endpoint', about: 'such as `server/https`' },
  replacement: { type: 'text', title: 'Replacement', about: '`None`, `Staged` or `Active`' },
  deadline: {
    type: 'time',
    optional: true,
    title: 'Rolled back',
    about: 'when it is rolled back unless it is committed',
  },
} as const satisfies Fields;

const endpoint = { kind: endpointValue, about: 'where it was staged' } as const;
const seconds = {
  kind: integerValue('SECONDS', 1, 86_400),
  about: 'time until it is rolled back by itself (default: `replacement.defaultSeconds`)',
} as const;

export const stage = operatorCommand({
  name: 'stage',
  summary: 'check a replacement and hold it ready, out of service',
  about: [
    'The first step of a change that undoes itself: `stage`, `activate`, try it, and `commit`. Until then other changes of the endpoint are refused. It belongs to the user who staged it, and ends by `commit`, by `rollback`, at its deadline, or when the manager ends; without `commit` what was in service before is in service again.',
  ],
  arguments: {
    endpoint: { kind: endpointValue, about: 'such as `server/https`' },
    files: fileArgument,
  },
  options: {
    ...passwordOptions,
    bundle: { kind: fileValue, about: 'CAs that go into service together with it' },
    truststore: {
      kind: endpointOfType('authority'),
      default: 'authority/truststore',
      about: 'with `--bundle`: whose CAs they replace',
    },
    seconds,
  },
  fields,
  examples: [
    { command: 'stage server/https bmc.pem --seconds 300', about: 'A certificate, for 5 minutes' },
    {
      command: 'stage server/https bmc.p12 --password-file secret --bundle new-ca.pem',
      about: 'A certificate together with the CAs of its clients',
    },
  ],
  async run({ args, options, context }) {
    const content = await readMaterial(args.files, options);
    const { bundle: file, truststore, seconds: time = 0 } = options;
    const bundle = file === undefined ? undefined : await readMaterial([file]);
    const manager = await context.manager();
    mustHave(manager.client, args.endpoint);
    if (bundle) mustHave(manager.client, truststore);
    await manager.administration.stage(args.endpoint, {
      content,
      ...(bundle && { truststore: { endpoint: truststore, bundle } }),
      seconds: time,
    });
    return answer(manager, args.endpoint);
  },
});

export const activate = operatorCommand({
  name: 'activate',
  summary: 'put what is staged into service until its deadline',
  arguments: { endpoint },
  options: { seconds },
  fields,
  examples: [{ command: 'activate server/https --seconds 60', about: 'For a minute of trying' }],
  async run({ args, options, context }) {
    const manager = await context.manager();
    mustHave(manager.client, args.endpoint);
    await manager.administration.activate(args.endpoint, options.seconds ?? 0);
    return answer(manager, args.endpoint);
  },
});

/** A command that ends a replacement in one of two ways. */
function ending(
  name: 'commit' | 'rollback',
  done: string,
  about: { readonly summary: string; readonly example: string },
) {
  return operatorCommand({
    name,
    summary: about.summary,
    arguments: { endpoint },
    fields,
    examples: [{ command: `${name} server/https`, about: about.example }],
    async run({ args, context }) {
      const manager = await context.manager();
      mustHave(manager.client, args.endpoint);
      await manager.administration[name](args.endpoint);
      return answer(manager, args.endpoint, done);
    },
  });
}

export const commit = ending('commit', 'committed', {
  summary: 'keep what was activated',
  example: 'The new certificate stays',
});

export const rollback = ending('rollback', 'rolled back', {
  summary: 'give a replacement up, and have the old state again',
  example: 'The old certificate is back',
});

async function answer({ administration }: Manager, where: EndpointRef, ending?: string) {
  const { state, deadline } = await administration.replacement(where);
  const name = nameOf(where);
  const until = deadline ? `, rolled back at ${deadline.toISOString().slice(0, 19)}Z` : '';
  return {
    data: { endpoint: name, replacement: state, deadline: deadline ?? null },
    text: `${name}: ${ending ?? `${state.toLowerCase()}${until} unless it is committed`}\n`,
  };
}
