import type { Argument } from './clients.ts';

/** The arguments of GenerateCSR in the order of the wire. */
export const argumentNames = [
  ...['AlternativeNames', 'ChallengePassword', 'City', 'CommonName', 'ContactPerson', 'Country'],
  ...['Email', 'GivenName', 'Initials', 'KeyBitLength', 'KeyCurveId', 'KeyPairAlgorithm'],
  ...['KeyUsage', 'Organization', 'OrganizationalUnit', 'State', 'Surname', 'UnstructuredName'],
];

/** A request for what is given; everything else but the common name has the value that stands for "not given". */
export function requestFor(given: Readonly<Record<string, Argument>>): Argument[] {
  return argumentNames.map((name) => given[name] ?? absent[name] ?? '');
}

const absent: Readonly<Record<string, Argument>> = {
  AlternativeNames: [],
  CommonName: 'bmc',
  KeyBitLength: 0n,
  KeyUsage: [],
};
