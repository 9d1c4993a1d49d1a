import { operatorCommand } from '../../context.ts';
import {
  bundleField,
  bundleOption,
  downloadFields,
  downloadRow,
  timeOf,
  withBundle,
} from './program.ts';

export const bundleCheckServer = operatorCommand({
  name: 'bundle check-server',
  summary: 'show the version of the bundle that the server has',
  about: ['Reads and verifies the manifest alone. Nothing changes on the device.'],
  options: bundleOption,
  fields: {
    bundle: bundleField,
    revision: { type: 'number', title: 'Revision', about: 'that the server has' },
    date: { type: 'time', title: 'Date', optional: true, about: 'of that revision' },
    onDevice: {
      type: 'number',
      title: 'On the device',
      optional: true,
      about: 'revision of the copy on the device',
    },
  },
  examples: [{ command: 'bundle check-server', about: 'Whether there is a newer one' }],
  run: ({ options, context }) =>
    withBundle(context, 'bundle check-server', options, async (bundle) => {
      const [revision, date] = await bundle.checkServer();
      const { Revision } = await bundle.status();
      return {
        data: {
          bundle: options.bundle,
          revision: Number(revision),
          date: timeOf(date),
          onDevice: Revision === 0n ? null : Number(Revision),
        },
      };
    }),
});

export const bundleDownload = operatorCommand({
  name: 'bundle download',
  summary: 'ask the server now, and take a newer bundle',
  about: [
    'Joins a download that runs. The groups that follow the bundle are loaded in the background after it; `bundle status` shows them.',
  ],
  options: bundleOption,
  fields: downloadFields,
  examples: [{ command: 'bundle download', about: 'Without waiting for the timer' }],
  run: ({ options, context }) =>
    withBundle(context, 'bundle download', options, async (bundle) => ({
      data: downloadRow(await bundle.download()),
    })),
});
