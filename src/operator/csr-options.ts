import { parseArgs } from 'node:util';
import {
  type CsrParameterName,
  type CsrParameters,
  csrParameterNames,
  csrParameters,
  withAbsent,
} from '../manager/csr/parameters.ts';

/** The parameters that have an option on the command line. */
const names = csrParameterNames.filter((name) => csrParameters[name].option !== false);

/** `CommonName` is `--common-name` where the declaration says nothing else. */
function optionOf(name: CsrParameterName): string {
  const { option } = csrParameters[name];
  return option || name.replace(/\B[A-Z]/g, '-$&').toLowerCase();
}

/** The options for the help; those of lists may be given more than once. */
export const csrUsage = names
  .map((name) => `[--${optionOf(name)} TEXT]${csrParameters[name].signature === 'as' ? '…' : ''}`)
  .join(' ')
  .replace(/(.{1,90}\]…?) /g, '$1\n        ');

/** @throws TypeError of Node that names an option which there is not */
export function parseCsrOptions(args: readonly string[]): CsrParameters {
  const options = names.map((name) => {
    const multiple = csrParameters[name].signature === 'as';
    return [optionOf(name), { type: 'string' as const, multiple }] as const;
  });
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(options) });
  const given = names.map((name) => [name, parameterValue(name, values[optionOf(name)])]);
  const usual = { KeyUsage: ['DigitalSignature', 'ServerAuthentication'] };
  return withAbsent({ ...usual, ...Object.fromEntries(given.filter(([, value]) => value)) });
}

/** What is no number is none of the lengths that a key may have. */
function parameterValue(name: CsrParameterName, text: unknown) {
  if (csrParameters[name].signature !== 'x' || text === undefined) return text;
  return BigInt(/^\d+$/.test(String(text)) ? String(text) : -1);
}
