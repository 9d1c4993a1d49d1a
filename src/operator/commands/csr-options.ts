import { CertError } from '../../core/cert-error.ts';
import {
  type CsrParameterName,
  type CsrParameters,
  csrParameters,
  withAbsent,
} from '../../manager/csr/parameters.ts';
import { keyAlgorithm, planRequest } from '../../manager/csr/plan.ts';
import type { Option } from '../framework/command.ts';
import { CommandError } from '../framework/exit-status.ts';
import { fileValue, textValue } from '../framework/value-kind.ts';
import { readPassword } from '../password-file.ts';

/** What the help says of each parameter that has an option. */
const abouts: Readonly<Record<Exclude<CsrParameterName, 'ChallengePassword'>, string>> = {
  CommonName: 'common name of the subject, such as the name of the host',
  AlternativeNames: 'a DNS name, IP address, e-mail address or URI (subject alternative name)',
  Organization: 'organization of the subject',
  OrganizationalUnit: 'organizational unit of the subject',
  City: 'locality of the subject',
  State: 'state or province of the subject',
  Country: 'two-letter code of the country of the subject (ISO 3166)',
  Email: 'e-mail address of the subject',
  ContactPerson: 'name of a person in the subject',
  GivenName: 'given name in the subject',
  Surname: 'surname in the subject',
  Initials: 'initials in the subject',
  UnstructuredName: 'unstructuredName, an attribute of the CSR that some CAs ask for',
  KeyPairAlgorithm: 'algorithm of the new key (default: EC, or what fits the other options)',
  KeyCurveId: 'curve of an EC key (default: P-384)',
  KeyBitLength: 'length of an RSA key (default: 2048)',
  KeyUsage: 'a key usage or extended key usage (default: what the type of the endpoint needs)',
};

type OptionName = keyof typeof abouts;
/** In the order of the help. */
export const csrOptionNames = Object.keys(abouts) as readonly OptionName[];

/** `CommonName` is `--common-name` where the declaration says nothing else. */
function optionOf(name: OptionName): string {
  const declared: { readonly option?: string | false } = csrParameters[name];
  return declared.option || name.replace(/\B[A-Z]/g, '-$&').toLowerCase();
}

export function csrOptions(names: readonly OptionName[]): Readonly<Record<string, Option>> {
  const entries = names.map((name) => [optionOf(name), csrOption(name)] as const);
  return { ...Object.fromEntries(entries), ...challengeOption };
}

/** A secret, which every user of the device would see on a command line. */
export const challengeOption = {
  'challenge-password-file': {
    kind: fileValue,
    about: 'a file with the challenge password that some CAs ask for; `-` for standard input',
  },
} as const;

/** Names that TPMs, OpenSSL and ASN.1 have for the same; they are taken, too. */
const otherNames = /^TPM|^secp|^prime|\d\.\d/;

function csrOption(name: OptionName): Option {
  const { signature, values: all = [] }: { signature: string; values?: readonly string[] } =
    csrParameters[name];
  const values = all.filter((value) => !otherNames.test(value));
  const parse = (text: string) => checked(name, text, values);
  const kind = { ...textValue(signature === 'x' ? 'NUMBER' : 'TEXT'), parse };
  return {
    kind: values.length > 0 ? { ...kind, completion: values } : kind,
    about: values.length > 0 ? `${abouts[name]}: ${values.join(', ')}` : abouts[name],
    ...(signature === 'as' && { multiple: true }),
  };
}

/** The manager's own check, said of what was typed. @throws CommandError `usage` */
function checked(name: OptionName, text: string, values: readonly string[]): string {
  const { signature } = csrParameters[name];
  const value = parameterValue(name, signature === 'as' ? [text] : text);
  try {
    // A length is checked with the algorithm that it is for
    const algorithm = name === 'KeyBitLength' ? { KeyPairAlgorithm: 'RSA' } : {};
    planRequest(withAbsent({ CommonName: 'any', ...algorithm, [name]: value }), 'client');
    return text;
  } catch (cause) {
    if (!(cause instanceof CertError)) throw cause;
    const fault =
      values.length > 0 ? `is none of ${values.join(', ')}` : cause.message.replace(/^\S+ /, '');
    throw new CommandError('usage', `${JSON.stringify(text)} ${fault}.`, { cause });
  }
}

/** Redfish clients may say both at once; a person who does means something else than what would be made. */
function refuseContradiction(given: Partial<CsrParameters>): void {
  const { KeyPairAlgorithm, KeyCurveId, KeyBitLength } = withAbsent(given);
  const algorithm = { KeyPairAlgorithm, KeyCurveId: '', KeyBitLength: 0n };
  const isRsa = KeyPairAlgorithm !== '' && keyAlgorithm(algorithm).kind === 'RSA';
  const isEc = KeyPairAlgorithm !== '' && !isRsa;
  if ((KeyCurveId !== '' && (isRsa || KeyBitLength !== 0n)) || (isEc && KeyBitLength !== 0n)) {
    const message = 'An EC key has a --curve, and an RSA key has --bits: give what fits the other.';
    throw new CommandError('usage', message);
  }
}

/** The parameters that the options give, under their names. @throws CommandError `usage` */
export async function csrParametersOf(
  names: readonly OptionName[],
  options: Readonly<Record<string, unknown>>,
): Promise<Partial<CsrParameters>> {
  const given = names.flatMap((name) => {
    const value = options[optionOf(name)];
    const isGiven = value !== undefined && !(Array.isArray(value) && value.length === 0);
    return isGiven ? [[name, parameterValue(name, value)] as const] : [];
  });
  refuseContradiction(Object.fromEntries(given));
  const ChallengePassword = await challengePasswordOf(options);
  return { ...Object.fromEntries(given), ChallengePassword };
}

export async function challengePasswordOf(
  options: Readonly<Record<string, unknown>>,
): Promise<string> {
  const file = options['challenge-password-file'];
  return typeof file === 'string' ? readPassword(file) : '';
}

/** What is no number is none of the lengths that a key may have. */
function parameterValue(name: OptionName, value: unknown): unknown {
  if (csrParameters[name].signature !== 'x') return value;
  return BigInt(/^\d{1,9}$/.test(String(value)) ? String(value) : -1);
}
