import { statSync } from 'node:fs';
import { codeOf } from '../../storage/io-errors.ts';
import { type Examination, fault } from './finding.ts';

/** Whether what Prometheus is told is of now. */
export const metricsExamination: Examination = {
  check: 'metrics',
  reach: 'device',
  good: 'the textfile for Prometheus is up to date, or the configuration has none',
  async examine({ configuration, now }) {
    const { textfile, refreshSeconds = 0 } = configuration?.metrics ?? {};
    if (textfile === undefined) return [];
    const written = modified(textfile);
    // Half as much again, for a device that is busy
    if (written !== undefined && now - written < 1500 * refreshSeconds) return [];
    const text =
      written === undefined
        ? 'the manager has not written it'
        : `the manager has not written it since ${new Date(written).toISOString()}`;
    const next =
      'make its directory, and let the unit write there with ReadWritePaths= in a drop-in of bmc-certificate-manager.service';
    return [fault(textfile, text, next)];
  },
};

function modified(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
