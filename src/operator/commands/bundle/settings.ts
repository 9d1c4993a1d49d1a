import type { BundleAdministration } from '../../../dbus/trust-bundle/bundle-client.ts';
import type { SettableProperty, ToldBundle } from '../../../dbus/trust-bundle/bundle-interface.ts';
import { type OperatorContext, operatorCommand } from '../../context.ts';
import type { Fields } from '../../framework/fields.ts';
import { choiceValue, integerValue, textValue } from '../../framework/value-kind.ts';
import { bundleField, bundleOption, withBundle } from './program.ts';

const fields = {
  bundle: bundleField,
  setting: {
    type: 'text',
    title: 'Setting',
    about: '`polling`, `interval`, `url` or `routing-instance`',
  },
  value: { type: 'text', title: 'Value', about: 'in force now; empty for none' },
  origin: { type: 'text', title: 'Origin', about: '`configuration` or `run time`' },
} as const satisfies Fields;

/** As they are named on the command line. */
const properties = {
  polling: 'Enabled',
  interval: 'IntervalHours',
  url: 'Url',
  'routing-instance': 'RoutingInstance',
} as const satisfies Readonly<Record<string, SettableProperty>>;

type Setting = keyof typeof properties;

interface Options {
  readonly bundle: string;
}

/** Does it, and answers with the setting that is in force then. */
function changing(
  context: OperatorContext,
  command: string,
  options: Options,
  setting: Setting,
  work: (bundle: BundleAdministration) => Promise<void>,
) {
  return withBundle(context, command, options, async (bundle) => {
    await work(bundle);
    return answerOf(options.bundle, setting, await bundle.status());
  });
}

function answerOf(bundle: string, setting: Setting, told: ToldBundle) {
  const property = properties[setting];
  const value = setting === 'polling' ? (told.Enabled ? 'on' : 'off') : String(told[property]);
  const origin = told.SetAtRunTime.includes(property) ? 'run time' : 'configuration';
  const text = `${bundle}: ${setting} is ${value === '' ? 'nothing' : value} (${origin})\n`;
  return { data: { bundle, setting, value, origin }, text, notes: told.Warnings };
}

export const bundleActivate = operatorCommand({
  name: 'bundle activate',
  summary: 'have the server polled again',
  options: bundleOption,
  fields,
  examples: [{ command: 'bundle activate', about: 'Undo `bundle deactivate`' }],
  run: ({ options, context }) =>
    changing(context, 'bundle activate', options, 'polling', (bundle) =>
      bundle.set('Enabled', true),
    ),
});

export const bundleDeactivate = operatorCommand({
  name: 'bundle deactivate',
  summary: 'have the server polled no more',
  about: [
    'Not recommended: a CA that was compromised stays trusted until an operator runs `bundle download`, which goes on to work. Groups keep what they have.',
  ],
  options: bundleOption,
  fields,
  examples: [{ command: 'bundle deactivate', about: 'No poll without a command' }],
  run: ({ options, context }) =>
    changing(context, 'bundle deactivate', options, 'polling', (bundle) =>
      bundle.set('Enabled', false),
    ),
});

export const bundleSetUrl = operatorCommand({
  name: 'bundle set-url',
  summary: 'have the bundle come from another server',
  about: [
    'The signature must lead to a pinned root as before, so plain http will do. What is being downloaded from the server of before is not taken any more.',
  ],
  arguments: {
    url: {
      kind: textValue('URL'),
      about: 'such as `http://signatures.example.net/cacert`, or a host alone',
    },
  },
  options: bundleOption,
  fields,
  examples: [{ command: 'bundle set-url signatures.example.net', about: 'A server of your own' }],
  run: ({ args, options, context }) =>
    changing(context, 'bundle set-url', options, 'url', (bundle) => bundle.set('Url', args.url)),
});

export const bundleSetInterval = operatorCommand({
  name: 'bundle set-interval',
  summary: 'have the server polled at another interval',
  arguments: {
    hours: { kind: integerValue('HOURS', 1, 8760), about: 'from one poll to the next' },
  },
  options: bundleOption,
  fields,
  examples: [{ command: 'bundle set-interval 48', about: 'Every other day' }],
  run: ({ args, options, context }) =>
    changing(context, 'bundle set-interval', options, 'interval', (bundle) =>
      bundle.set('IntervalHours', args.hours),
    ),
});

export const bundleSetRoutingInstance = operatorCommand({
  name: 'bundle set-routing-instance',
  summary: 'have the server asked from another address of the device',
  arguments: {
    instance: { kind: textValue('INSTANCE'), about: 'such as `addr:192.0.2.7`' },
  },
  options: bundleOption,
  fields,
  examples: [
    { command: 'bundle set-routing-instance addr:192.0.2.7', about: 'Out of one interface' },
  ],
  run: ({ args, options, context }) =>
    changing(context, 'bundle set-routing-instance', options, 'routing-instance', (bundle) =>
      bundle.set('RoutingInstance', args.instance),
    ),
});

export const bundleReset = operatorCommand({
  name: 'bundle reset',
  summary: 'go back to what the configuration says of a setting',
  arguments: {
    setting: {
      kind: choiceValue('SETTING', Object.keys(properties) as Setting[]),
      about: 'what was set at run time',
    },
  },
  options: bundleOption,
  fields,
  examples: [{ command: 'bundle reset url', about: 'Undo `bundle set-url`' }],
  run: ({ args: { setting }, options, context }) =>
    changing(context, 'bundle reset', options, setting, (bundle) =>
      bundle.reset(properties[setting]),
    ),
});
