import { reasonOf } from '../../core/cert-error.ts';
import { processToReload } from '../../platform/pid-file.ts';
import { nameOf } from '../targets.ts';
import { type Examination, type Found, fault, warning } from './finding.ts';

/** Whether what is to be told of changes can be told: before the first change, too. */
export const reloadTargetsExamination: Examination = {
  check: 'reload',
  reach: 'device',
  good: 'every service to reload can be told',
  async examine({ manager: { client }, configuration, unitState }) {
    const all = (configuration?.endpoints ?? []).flatMap((endpoint) =>
      endpoint.reload.map(async ({ unit, pidFile }): Promise<readonly Found[]> => {
        const where = `${nameOf(endpoint)} → ${unit ?? pidFile}`;
        const next = 'correct "reload" of the endpoint in the configuration, or repair the service';
        const state = unit === undefined ? undefined : await unitState(unit);
        if (state === 'not-found') {
          // Such as the LDAP client of a device that has none
          const isUsed = client.isAvailable(endpoint) && client.list(endpoint).length > 0;
          return isUsed ? [warning(where, 'systemd has no such unit', next)] : [];
        }
        const text = unit === undefined ? await pidFileFault(pidFile ?? '') : unitFault(state);
        return text === undefined ? [] : [fault(where, text, next)];
      }),
    );
    return (await Promise.all(all)).flat();
  },
};

/** A service that does not run needs to be told nothing. */
async function pidFileFault(path: string): Promise<string | undefined> {
  try {
    await processToReload(path);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** LoadState of org.freedesktop.systemd1(5); unknown where there is no systemd. */
function unitFault(state: string | undefined): string | undefined {
  return state === undefined || state === 'loaded' ? undefined : `systemd says of it: ${state}`;
}
