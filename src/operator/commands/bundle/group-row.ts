import type { ToldBundle } from '../../../dbus/trust-bundle/bundle-interface.ts';
import type { Fields } from '../../framework/fields.ts';
import { groupField, numberOf } from './program.ts';

export const groupFields = {
  group: groupField,
  origin: { type: 'text', title: 'Origin', about: '`configuration` or `run time`' },
  state: {
    type: 'text',
    title: 'State',
    about: '`loaded`, `waiting` or `error`',
    tones: { loaded: 'good', waiting: 'warning', error: 'bad' },
  },
  revision: {
    type: 'number',
    title: 'Revision',
    optional: true,
    about: 'of the bundle that is in it',
  },
  present: { type: 'number', title: 'CAs', about: 'how many it has' },
  absent: {
    type: 'number',
    title: 'Absent',
    about: 'names whose certificates the bundle does not have any more',
  },
  failure: { type: 'text', title: 'Failure', optional: true, about: 'why it was not loaded' },
} as const satisfies Fields;

export function groupRow(told: ToldBundle['Groups'][number]) {
  const [group, origin, state, revision, present, absent, code, reason] = told;
  const failure = code === '' ? null : `${code}: ${reason}`;
  return { group, origin, state, revision: numberOf(revision), present, absent, failure };
}
