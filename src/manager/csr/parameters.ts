import { curveNames, rsaLengths } from '../../x509/keys.ts';
import type { AttributeType } from '../../x509/name.ts';
import { keyUsages } from '../../x509/oids.ts';
import { servedCurves } from '../checks/checks.ts';

interface CsrParameter {
  /** On D-Bus; in JSON a text, a list of texts and an integer. */
  readonly signature: 's' | 'as' | 'x';
  /** The attribute of the subject that it becomes. */
  readonly attribute?: AttributeType;
  /** The most characters of a text, entries of a list; the bounds of RFC 5280 appendix A.1 where it has some. */
  readonly max?: number;
  readonly form?: { readonly pattern: RegExp; readonly fault: string };
  /** What clients are told that they may choose from; other names of the same are taken, too. */
  readonly values?: readonly string[];
  /** On the command line, where it is not the name; `false` for a secret, which every user of the device could see there. */
  readonly option?: string | false;
}

/**
 * The parameters of `xyz.openbmc_project.Certs.CSR.Create.GenerateCSR` in the order of its arguments, which Redfish has under
 * the same names. Declared here alone: the signature on D-Bus, the JSON schema and ActionInfo of Redfish, and the options of
 * the command line follow. An empty text, an empty list and 0 stand for "not given".
 */
const declared = {
  AlternativeNames: { signature: 'as', max: 100, option: 'name' },
  ChallengePassword: { signature: 's', max: 255, option: false },
  City: { signature: 's', max: 128, attribute: 'L' },
  CommonName: { signature: 's', max: 64, attribute: 'CN' },
  ContactPerson: { signature: 's', max: 32_768, attribute: 'name' },
  Country: {
    signature: 's',
    max: 2,
    attribute: 'C',
    form: { pattern: /^(?:[A-Za-z]{2})?$/, fault: 'is not a code of two letters (ISO 3166)' },
  },
  Email: {
    signature: 's',
    max: 128,
    attribute: 'emailAddress',
    form: { pattern: /^[\x20-\x7e]*$/, fault: 'holds other characters than printable ASCII' },
  },
  GivenName: { signature: 's', max: 32_768, attribute: 'GN' },
  Initials: { signature: 's', max: 32_768, attribute: 'initials' },
  KeyBitLength: { signature: 'x', values: rsaLengths.map(String), option: 'bits' },
  KeyCurveId: {
    signature: 's',
    values: servedCurves.flatMap((curve) => curveNames[curve]),
    option: 'curve',
  },
  KeyPairAlgorithm: {
    signature: 's',
    values: ['TPM_ALG_RSA', 'TPM_ALG_ECDSA', 'RSA', 'EC'],
    option: 'algorithm',
  },
  KeyUsage: { signature: 'as', max: 20, values: keyUsages, option: 'usage' },
  Organization: { signature: 's', max: 64, attribute: 'O' },
  OrganizationalUnit: { signature: 's', max: 64, attribute: 'OU' },
  State: { signature: 's', max: 128, attribute: 'ST' },
  Surname: { signature: 's', max: 32_768, attribute: 'SN' },
  UnstructuredName: { signature: 's', max: 255 },
} as const satisfies Readonly<Record<string, CsrParameter>>;

export type CsrParameterName = keyof typeof declared;

export const csrParameters: Readonly<Record<CsrParameterName, CsrParameter>> = declared;
export const csrParameterNames = Object.keys(declared) as readonly CsrParameterName[];

interface Values {
  readonly s: string;
  readonly as: readonly string[];
  readonly x: bigint;
}

/** The values of all parameters. */
export type CsrParameters = {
  readonly [N in CsrParameterName]: Values[(typeof declared)[N]['signature']];
};

/** Those of Redfish `Certificate.Rekey`. */
export const rekeyParameterNames = [
  'ChallengePassword',
  'KeyBitLength',
  'KeyCurveId',
  'KeyPairAlgorithm',
] as const satisfies readonly CsrParameterName[];

/** Those of Redfish `Certificate.Renew`. */
export const renewParameterNames = [
  'ChallengePassword',
] as const satisfies readonly CsrParameterName[];

export type RekeyParameters = Pick<CsrParameters, (typeof rekeyParameterNames)[number]>;

/** Names and signatures for a method on D-Bus, in the order of the names. */
export function csrSignatures<const N extends CsrParameterName>(names: readonly N[]) {
  const entries = names.map((name) => [name, csrParameters[name].signature] as const);
  return Object.fromEntries(entries) as {
    readonly [K in N]: (typeof declared)[K]['signature'];
  };
}

/** The values of parameters of which only some are given. */
export function withAbsent(given: Partial<CsrParameters>): CsrParameters {
  const absent: Values = { s: '', as: [], x: 0n };
  const entries = csrParameterNames.map((name) => [
    name,
    given[name] ?? absent[csrParameters[name].signature],
  ]);
  return Object.fromEntries(entries);
}
